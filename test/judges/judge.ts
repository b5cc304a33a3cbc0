import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, type TestContext } from "vitest";
import { ensureJudges, type JudgeName } from "../../scripts/judges.mjs";

declare module "vitest" {
  interface TaskMeta {
    /** Why a test was skipped; `npm test` prints it. */
    reason?: string;
  }
}

/** Leaves a test out and says why; where nobody reads, tests that did not run must not look well. */
export function leaveOut(context: TestContext, reason: string): never {
  if ((process.env["CI"] ?? "") !== "") throw new Error(reason);
  context.task.meta.reason = reason;
  return context.skip(reason);
}

/** The path of a judge, installed if need be. */
export async function pathOf(name: JudgeName, context: TestContext): Promise<string> {
  const judge = (await ensureJudges())[name];
  return judge.path ?? leaveOut(context, judge.missing);
}

export type Said = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a judge; what it says decides, so its exit code is no error here. */
export function ask(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...words],
      { env: { ...process.env, ...environment }, maxBuffer: 1 << 26 },
      (_error, stdout, stderr) => {
        // Without an exit code it has not judged.
        if (child.exitCode === null)
          reject(new Error(`${program} ${words.join(" ")} did not end by itself: ${stderr}`));
        else resolve({ code: child.exitCode, stdout, stderr });
      },
    );
  });
}

/** Cases with their whole names first: vitest shortens a field's text in a title. */
export function titled<Case extends { readonly name: string }>(
  cases: readonly Case[],
): readonly (readonly [string, Case])[] {
  return cases.map((one) => [one.name, one]);
}

/** A folder of this test file's own, which goes away with it. */
export function ownFolder(): { readonly path: string; write(name: string, text: string | Uint8Array): string } {
  const path = mkdtempSync(join(tmpdir(), "slipway-judges-"));
  // Ignition writes a user's keys as that user.
  chmodSync(path, 0o755);
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, text) {
      const file = join(path, name.replaceAll(/[^\w.-]/g, "_"));
      writeFileSync(file, text);
      return file;
    },
  };
}
