export const shells = ["sh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** Lines that set variables in a shell, or forget those without a value; values are quoted by that shell's own rules. */
export function variableLines(variables: Readonly<Record<string, string | undefined>>, shell: Shell): string {
  return Object.entries(variables)
    .map(([name, value]) => (value === undefined ? forget[shell](name) : set[shell](name, value)))
    .map((line) => `${line}\n`)
    .join("");
}

const set: Readonly<Record<Shell, (name: string, value: string) => string>> = {
  sh: (name, value) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  fish: (name, value) => `set -gx ${name} '${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
};
const forget: Readonly<Record<Shell, (name: string) => string>> = {
  sh: (name) => `unset ${name}`,
  fish: (name) => `set -e ${name}`,
  powershell: (name) => `Remove-Item Env:${name} -ErrorAction SilentlyContinue`,
};
