// Owns which nouns and verbs of the command line stand in which file, so that a command loads that file and no more: all of them
// together take a second and a half of a processor. It refuses to know what they do.

import type { Command } from "commander";

/** A part of the command line. */
export interface Part {
  /** What it adds to the program, all of it. */
  readonly words: readonly string[];
  readonly add: (program: Command) => Promise<unknown>;
}

/** In the order in which help shows them. */
export const PARTS: readonly Part[] = [
  {
    words: ["region", "account", "bill"],
    async add(program) {
      (await import("./read-commands.ts")).readCommands(program);
      (await import("./operator-commands.ts")).operatorCommands(program);
    },
  },
  { words: ["module"], add: async (to) => (await import("./module-commands.ts")).moduleCommands(to) },
  { words: ["job"], add: async (to) => (await import("./job-commands.ts")).jobCommands(to) },
  { words: ["order"], add: async (to) => (await import("./order-commands.ts")).orderCommands(to) },
  { words: ["key"], add: async (to) => (await import("./key-commands.ts")).keyCommands(to) },
  {
    words: ["agent"],
    async add(program) {
      (await import("./agent-commands.ts")).agentCommands(program);
      (await import("./window-command.ts")).windowCommand(program);
    },
  },
  { words: ["provider"], add: async (to) => (await import("./provider-commands.ts")).providerCommands(to) },
  { words: ["audit"], add: async (to) => (await import("./audit-command.ts")).auditCommand(to) },
  {
    words: ["certificate"],
    add: async (to) => (await import("./certificate-commands.ts")).certificateCommands(to),
  },
  {
    words: ["meter"],
    async add(program) {
      (await import("./enrolment-commands.ts")).enrolmentCommands(program);
      (await import("./meter-commands.ts")).meterCommands(program);
    },
  },
  {
    words: ["deposit", "withdraw", "claim", "exit", "funds"],
    add: async (to) => (await import("./money-commands.ts")).moneyCommands(to),
  },
  { words: ["deploy"], add: async (to) => (await import("./deploy-command.ts")).deployCommand(to) },
  {
    words: ["proposal"],
    async add(program) {
      const { proposalCommands } = await import("./votes/proposal-commands.ts");
      (await import("./votes/draft-commands.ts")).draftCommands(proposalCommands(program));
    },
  },
  {
    words: ["delegate", "delegates", "treasury"],
    add: async (to) => (await import("./votes/holder-commands.ts")).holderCommands(to),
  },
];

/** Adds the part that a command line's first word names, and all of them where it names none, which may ask for help. */
export async function addParts(program: Command, word: string | undefined): Promise<void> {
  const named = PARTS.filter(({ words }) => words.some((own) => own === word));
  for (const part of named.length > 0 ? named : PARTS) await part.add(program);
}
