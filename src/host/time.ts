/** A moment (milliseconds since 1970) as ISO 8601 in UTC. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `10m`, `2h`, `3d` before `now`, or a time in ISO 8601, as milliseconds since 1970; `undefined` when it is neither. */
export function parseMoment(text: string, now: number): number | undefined {
  const ago = /^(\d{1,6})([smhd])$/.exec(text);
  const [, count, unit] = ago ?? [];
  if (count !== undefined && (unit === "s" || unit === "m" || unit === "h" || unit === "d")) {
    return now - Number(count) * units[unit];
  }
  if (!/^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text))
    return undefined;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : moment;
}
