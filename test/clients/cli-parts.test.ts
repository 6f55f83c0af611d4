// Owns the promise that a command is found wherever it stands: what a part of the command line says it adds is what it adds.

import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addParts, PARTS } from "../../clients/cli/parts.ts";

const namesOf = (program: Command): string[] => program.commands.map((command) => command.name());
const everything = PARTS.flatMap(({ words }) => words);

describe("parts of the command line", () => {
  test.each(PARTS.map((part) => [part.words.join(", "), part] as const))(
    "invariant: %s is what its part adds to a program that has nothing else",
    async (_, part) => {
      const program = new Command();
      await part.add(program);
      expect(namesOf(program)).toEqual(part.words);
    },
  );

  test("behavior: a word loads its own part, and any other, or none, loads all", async () => {
    for (const [word, names] of [
      ["bill", ["region", "account", "bill"]],
      ["meter", ["meter"]],
      ["--help", everything],
      ["metre", everything],
      [undefined, everything],
    ] as const) {
      const program = new Command();
      await addParts(program, word);
      expect(namesOf(program), word).toEqual(names);
    }
    expect(new Set(everything).size).toBe(everything.length);
  });
});
