import { basename } from "node:path";
import { BaseSequencer, type TestSequencerConstructor, type TestSpecification } from "vitest/node";

/** Files by these names first, in this order, so that none of the long ones runs alone at the end; a project after the other. */
export function longestFirst(names: readonly string[]): TestSequencerConstructor {
  const rank = ({ moduleId }: TestSpecification): number => {
    const place = names.indexOf(basename(moduleId, ".test.ts"));
    return place < 0 ? names.length : place;
  };
  return class extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      const sorted = await super.sort(files);
      const projects = [...new Set(sorted.map(({ project }) => project.name))];
      return projects.flatMap((name) =>
        sorted.filter(({ project }) => project.name === name).toSorted((a, b) => rank(a) - rank(b)),
      );
    }
  };
}
