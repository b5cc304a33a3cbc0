import { Document, isScalar, visit } from "yaml";

// Line ends of other writing systems, marks of byte order, and what readers of YAML 1.1 refuse.
const unsafe = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * YAML that every reader takes alike: all texts stand in double quotes, so that none is a number, a date, a boolean or
 * null, and what is not printable is escaped; keys are plain words of the format itself.
 */
export function quotedYaml(header: string, value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(key, node) {
      if (key !== "key" && isScalar(node) && typeof node.value === "string") node.type = "QUOTE_DOUBLE";
    },
  });
  const text = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
  const escaped = text.replace(unsafe, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `${header}\n${escaped}`;
}
