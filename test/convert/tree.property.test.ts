import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readCluster } from "../../src/cluster/read.ts";
import { hiddenCharacter } from "../../src/problems/visible.ts";
import { Branch, List, treeText } from "../../src/convert/tree.ts";

const character = fc.constantFrom(...Array.from("ab0 :#-'\"\\|>&*!%@`{}[],?~=\t\n\n"));
const content = fc
  .oneof(fc.string({ unit: character, maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 20 }))
  .filter((text) => hiddenCharacter(text, true) === undefined);

test("whatever text a file holds is read back as it was, beside whatever comments", () => {
  fc.assert(
    fc.property(fc.array(content, { minLength: 1, maxLength: 4 }), content, (texts, note) => {
      const files = new List(
        texts.map((text, index) => ({
          notes: [note],
          value: new Branch([
            { key: "path", value: `/etc/${index}` },
            { key: "content", value: text, notes: [note] },
          ]),
        })),
      );
      const group = (role: string) =>
        new Branch(
          [
            { key: "role", value: role },
            { key: "files", value: files },
          ],
          [note],
        );
      const tree = new Branch([
        { key: "name", value: "x" },
        {
          key: "groups",
          value: new Branch([
            { key: "a", value: group("control") },
            { key: "b", value: group("worker") },
          ]),
        },
      ]);
      const read = readCluster(treeText(tree), "cluster.yml");
      if (read.kind === "bad") throw new Error(read.problems.map(({ message }) => message).join("; "));
      for (const { files: found } of read.value.groups)
        expect(found.map(({ contents }) => (contents.kind === "text" ? contents.text : undefined))).toEqual(texts);
    }),
    { numRuns: 500 },
  );
});
