import { styleText } from "node:util";

type Style = "good" | "bad" | "warning" | "quiet" | "strong";
const formats = {
  good: "green",
  bad: "red",
  warning: "yellow",
  quiet: "dim",
  strong: "bold",
} as const;

/** How things look on one stream: decided once, so that no view asks the terminal again. */
export type Theme = {
  readonly colour: boolean;
  readonly unicode: boolean;
  readonly paint: (style: Style, text: string) => string;
};

/** A theme with or without colour and characters beyond ASCII. */
export function theme(colour: boolean, unicode: boolean): Theme {
  return {
    colour,
    unicode,
    // The stream is not asked: who made the theme has decided.
    paint: (style, text) => (colour ? styleText(formats[style], text, { validateStream: false }) : text),
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether a stream is a terminal that can be drawn on: `NO_COLOR`, `CI` and `TERM=dumb` count as none, nor does one
 * that says it has no columns.
 */
export function isLive(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: Environment,
): boolean {
  return (
    stream.isTTY === true &&
    stream.columns !== 0 &&
    !isSet(environment["NO_COLOR"]) &&
    !isSet(environment["CI"]) &&
    environment["TERM"] !== "dumb"
  );
}

/** Colour only on a terminal, and never against `NO_COLOR` or `--no-color`. */
export function themeOf(stream: { readonly isTTY?: boolean }, environment: Environment, noColour: boolean): Theme {
  const colour =
    !noColour && stream.isTTY === true && !isSet(environment["NO_COLOR"]) && environment["TERM"] !== "dumb";
  return theme(colour, speaksUtf8(environment));
}

/** As the locale says; the first that is set counts, as in POSIX. */
function speaksUtf8(environment: Environment): boolean {
  const locale = [environment["LC_ALL"], environment["LC_CTYPE"], environment["LANG"]].find(isSet);
  return locale !== undefined && /utf-?8/i.test(locale);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
