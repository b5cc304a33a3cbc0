import { buildCommand } from "@stricli/core";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";

const shells = ["bash", "zsh", "fish", "powershell"] as const;
type Shell = (typeof shells)[number];

function shell(text: string): Shell {
  const found = shells.find((name) => name === text);
  if (found === undefined) throw new Error(`${JSON.stringify(text)} is none of ${shells.join(", ")}`);
  return found;
}

export default (brief: string) =>
  buildCommand<Record<never, never>, [Shell], CliContext>({
    docs: docs(brief, "Prints a script that completes verbs, flags, and the names of clusters, nodes and groups.", [
      ["completion bash > ~/.local/share/bash-completion/completions/slipway", "for ever, in bash"],
      ["completion zsh > ~/.zfunc/_slipway", "in zsh, with ~/.zfunc in fpath"],
      ["completion fish > ~/.config/fish/completions/slipway.fish", "in fish"],
      ["completion powershell | Out-String | Invoke-Expression", "in PowerShell, for this session"],
    ]),
    parameters: {
      positional: {
        kind: "tuple",
        parameters: [
          {
            parse: shell,
            placeholder: "shell",
            brief: shells.join(", "),
            proposeCompletions: () => shells,
          },
        ],
      },
    },
    func: act(async (session, _flags: Record<never, never>, name: Shell) => {
      const { script } = await import("@bomb.sh/tab");
      const { program, files } = session.world;
      // Prints on the console by itself; the library gives no text.
      script(name, "slipway", program === "slipway" ? program : files.absolute(program));
    }),
  });
