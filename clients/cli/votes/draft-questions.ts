// Owns the form of a draft in a terminal: it shows what may be changed, asks for values one by one, and says at once what a value
// would be refused for. It refuses to go on without a description.

import { createInterface } from "node:readline/promises";
import { type Draft, draftDocument } from "../../../governance/forms/draft.ts";
import { refuseChanges } from "../../../governance/forms/parameter-form.ts";
import { type DraftValues, draftSchema } from "../../../protocol/governed-values.ts";
import type { ParametersAnswer } from "../../../protocol/vote-answer.ts";
import { type ValueFlag, valueFlag, valuesOf } from "./draft-flags.ts";
import { formTable } from "./vote-report.ts";

/** Asks a person for a draft of a region's values. */
export async function askForDraft(form: ParametersAnswer): Promise<Draft> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    console.error(formTable(form));
    const set = await askForValues(form, (question) => lines.question(question));
    let description = "";
    while (description.trim() === "") description = await lines.question("what for (all will read it): ");
    const calls = [{ call: "changeValues", region: form.region, values: valuesOf(set) }];
    return draftDocument.parse({ description, calls }) as unknown as Draft;
  } finally {
    lines.close();
  }
}

async function askForValues(
  form: ParametersAnswer,
  ask: (question: string) => Promise<string>,
): Promise<readonly ValueFlag[]> {
  let set: readonly ValueFlag[] = [];
  for (;;) {
    const line = (await ask("change (name=value, nothing when that is all): ")).trim();
    if (line === "" && set.length > 0) return set;
    if (line === "") continue;
    try {
      const next = valueFlag(line, set);
      const values: DraftValues = draftSchema.parse(valuesOf(next));
      const [refusal] = refuseChanges(form, values);
      if (refusal === undefined) set = next;
      else console.error(`${refusal.code} ${JSON.stringify(refusal.facts)}`);
    } catch (error) {
      console.error(error instanceof Error ? error.message : String(error));
    }
  }
}
