import type { Processes } from "../host/processes.ts";

export type UnitState = {
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  readonly enabled: string;
  readonly load: string;
};

/** The node's own systemd, by its command. */
export interface Systemd {
  reload(): Promise<void>;
  /** Enables or disables; several units at once. */
  enable(units: readonly string[], now: "on" | "off"): Promise<void>;
  mask(units: readonly string[], masked: boolean): Promise<void>;
  /** Queues the job and does not wait for it. */
  start(units: readonly string[]): Promise<void>;
  restart(units: readonly string[]): Promise<void>;
  /** Has running units read their settings and certificates again, without an interruption. */
  renew(units: readonly string[]): Promise<void>;
  stop(units: readonly string[]): Promise<void>;
  resetFailed(unit: string): Promise<void>;
  states(units: readonly string[]): Promise<ReadonlyMap<string, UnitState>>;
  failed(): Promise<readonly string[]>;
  /** The last lines of a unit's journal in this boot. */
  log(unit: string, lines: number): Promise<readonly string[]>;
}

export function systemd(processes: Processes): Systemd {
  const control = async (...words: string[]): Promise<string> =>
    (await processes.run(["systemctl", ...words], { timeout: 90_000 })).stdout;
  return {
    reload: async () => void (await control("daemon-reload")),
    enable: async (units, now) => {
      // Without --no-reload each call makes systemd read all its units again.
      if (units.length > 0)
        await control(now === "on" ? "enable" : "disable", "--quiet", "--no-reload", "--", ...units);
    },
    mask: async (units, masked) => {
      if (units.length > 0) await control(masked ? "mask" : "unmask", "--quiet", "--", ...units);
    },
    start: async (units) => {
      if (units.length > 0) await control("start", "--no-block", "--", ...units);
    },
    restart: async (units) => {
      if (units.length > 0) await control("restart", "--no-block", "--", ...units);
    },
    renew: async (units) => {
      if (units.length > 0) await control("reload", "--no-block", "--", ...units);
    },
    stop: async (units) => {
      // 5: one of them is not there, which is as good.
      if (units.length > 0)
        await processes.run(["systemctl", "stop", "--", ...units], { timeout: 90_000, accept: [0, 5] });
    },
    resetFailed: async (unit) =>
      void (await processes.run(["systemctl", "reset-failed", "--", unit], { accept: [0, 1] })),
    async states(units) {
      const found = new Map<string, UnitState>();
      if (units.length === 0) return found;
      const text = await control(
        "show",
        "--property=Id,Names,ActiveState,SubState,Result,UnitFileState,LoadState",
        "--",
        ...units,
      );
      const blocks = text.trim().split("\n\n");
      for (const [index, name] of units.entries()) {
        const values = new Map(
          (blocks[index] ?? "").split("\n").map((line) => {
            const at = line.indexOf("=");
            return [line.slice(0, at), line.slice(at + 1)] as const;
          }),
        );
        found.set(name, {
          active: values.get("ActiveState") ?? "",
          sub: values.get("SubState") ?? "",
          result: values.get("Result") ?? "",
          enabled: values.get("UnitFileState") ?? "",
          load: values.get("LoadState") ?? "",
        });
      }
      return found;
    },
    async failed() {
      const text = await control("list-units", "--state=failed", "--plain", "--no-legend", "--no-pager");
      return text
        .split("\n")
        .map((line) => line.trim().split(/\s+/)[0] ?? "")
        .filter((name) => name !== "");
    },
    async log(unit, lines) {
      const { stdout } = await processes.run(
        ["journalctl", "--no-pager", "--output=cat", "--boot", `--lines=${lines}`, `--unit=${unit}`],
        { timeout: 5_000, accept: [0, 1] },
      );
      return stdout.split("\n").filter((line) => line !== "");
    },
  };
}
