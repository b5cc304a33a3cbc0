import type { OldUnit } from "./cloud-config.ts";
import { knownUnit } from "./known-units.ts";
import { placeOf, type Lines } from "./lines.ts";
import type { Outcome } from "./outcome.ts";

/** The role that a list of units is for, by its file's name: manager-systemd-units.txt. */
export function roleOfList(file: string): string | undefined {
  return /(?:^|[\\/])([a-z]+)-systemd-units\.txt$/.exec(file)?.[1];
}

/** The units that a list starts, of those whose texts were given; the others are said. */
export function listedUnits(lines: Lines, given: ReadonlyMap<string, OldUnit>, outcome: Outcome): readonly OldUnit[] {
  return lines.text.split("\n").flatMap((line, index) => {
    const name = line.trim();
    if (name === "" || name.startsWith("#")) return [];
    const at = placeOf(lines, index + 1);
    const unit = given.get(name);
    if (unit !== undefined) return [{ ...unit, wanted: true }];
    const what = `unit ${name}`;
    const known = knownUnit(name);
    if (known === undefined) outcome.dropped(what, at, "its text was not given: slipway convert takes unit files, too");
    else if (known.by === "") outcome.dropped(what, at, known.why);
    else outcome.replaced(what, at, known.by, known.why);
    return [];
  });
}
