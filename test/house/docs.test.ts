import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { pages } from "../../scripts/pages.ts";
import { filesBelow, root, textOf } from "./sources.ts";

const exec = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "slipway-docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const prose = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...filesBelow("docs", /\.md$/)];

/** The command line as it was built last; gives its code and both streams. */
async function slipway(words: readonly string[], cwd: string): Promise<{ code: number; text: string }> {
  try {
    const { stdout, stderr } = await exec(process.execPath, [join(root, "dist/cli.js"), ...words], {
      cwd,
      env: { PATH: process.env["PATH"], NO_COLOR: "1" },
    });
    return { code: 0, text: `${stdout}${stderr}` };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && typeof error.code === "number" && "stderr" in error))
      throw error;
    return { code: error.code, text: `${"stdout" in error ? String(error.stdout) : ""}${String(error.stderr)}` };
  }
}

type Block = { readonly page: string; readonly language: string; readonly text: string };

const blocks: readonly Block[] = prose.flatMap((page) =>
  [...textOf(page).matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language = "", text = ""]) => ({
    page,
    language,
    text,
  })),
);

describe("pages that are written from the code", () => {
  it.each(pages(textOf))("$path is up to date (npm run docs)", ({ path, text }) => {
    expect(textOf(path)).toBe(text);
  });
});

describe("examples", () => {
  it.each(filesBelow("examples", /\.yml$/))("%s is a good file", async (path) => {
    expect((await slipway(["check", path], root)).text).toContain(`${path}: good: `);
  });

  it("of a whole file in the pages are good files", async () => {
    const whole = blocks.filter(({ language, text }) => language === "yaml" && /^name: /m.test(text));
    expect(whole.length).toBeGreaterThan(0);
    for (const { text } of whole) {
      writeFileSync(join(folder, "cluster.yml"), text);
      expect((await slipway(["check"], folder)).text).toContain("cluster.yml: good: house");
    }
  });

  it("of a mistake are shown as the program shows it", async () => {
    const shown = blocks.find(({ text }) => text.startsWith("$ slipway check\n"));
    writeFileSync(join(folder, "cluster.yml"), "name: house\ngroups:\n  control: { role: control, cuont: 3 }\n");
    const { code, text } = await slipway(["check"], folder);
    expect(code).toBe(2);
    expect(shown?.text).toBe(`$ slipway check\n${text}`);
  });

  it("of commands name verbs and scripts that there are", async () => {
    const { text: help } = await slipway(["--help"], root);
    const scripts: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(textOf("package.json"));
    const commands = blocks
      .filter(({ language }) => language === "sh" || language === "text")
      .flatMap(({ text }) => text.split("\n"));
    const verbs = commands.flatMap((line) => /^(?:\$ )?(?:bin\/)?slipway (\w+)/.exec(line)?.[1] ?? []);
    const runs = commands.flatMap((line) => /^(?:\$ )?npm run ([\w:]+)/.exec(line)?.[1] ?? []);
    expect(verbs.length).toBeGreaterThan(3);
    expect(runs.length).toBeGreaterThan(3);
    expect(verbs.filter((verb) => !new RegExp(`^  ${verb} `, "m").test(help))).toEqual([]);
    expect(runs.filter((run) => scripts.scripts[run] === undefined)).toEqual([]);
  });
});

describe("links", () => {
  it("between pages lead somewhere", () => {
    const links = prose.flatMap((page) =>
      [...textOf(page).matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)].map(([, to = ""]) =>
        posix.join(dirname(page), to),
      ),
    );
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });
});

describe("docs/dependencies.md", () => {
  it("has a row for every dependency, and for no other", () => {
    const { devDependencies }: { readonly devDependencies: Readonly<Record<string, string>> } = JSON.parse(
      textOf("package.json"),
    );
    const named = textOf("docs/dependencies.md")
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .flatMap((line) =>
        [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name.replace(/\/mini$/, "")),
      );
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(devDependencies).toSorted());
  });
});
