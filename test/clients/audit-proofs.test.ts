// Owns what an audit makes of many proofs and of the registry's roots: the first proof that does not hold is named by its
// entry, and a root is believed only where its leaves have it. It refuses to blame another entry.

import { describe, expect, test } from "vitest";
import { ProofBatches } from "../../clients/audit/proof-batches.ts";
import { RegistryReplay } from "../../clients/audit/registry-replay.ts";
import type { ShownProof } from "../../evidence/meter-proof.ts";
import type { Entry } from "../../market/journal.ts";
import { LOCAL_CHAIN_ID, MAX_PROOFS_PER_BATCH } from "../../protocol/limits.ts";
import { sampleWindow } from "../../tools/sample-household.ts";
import {
  credit,
  deadlineS,
  enrol,
  FIRST_SLOT,
  type Market,
  MIDNIGHT_S,
  openMarket,
  readings,
  unenrol,
  word,
} from "../support/market.ts";
import { type ProofCase, provedOf } from "../support/proofs.ts";

/** The sample's window as it was proved for the vectors. */
function sampleShown(): ShownProof {
  const { context, firstSlot, root, account, claims } = sampleWindow(4);
  const [{ signals, proof }] = provedOf("meter-4") as [ProofCase];
  const nullifier = BigInt(signals[4] as string);
  return { statement: { context, firstSlot, root, account, nullifier, claims }, proof };
}

const invalid = (): ShownProof => {
  const shown = sampleShown();
  const { pi_a, pi_c, ...rest } = shown.proof as ProofCase["proof"];
  return { ...shown, proof: { ...rest, pi_a: pi_c, pi_c: pi_a } };
};
const malformed = (): ShownProof => {
  const shown = sampleShown();
  return { ...shown, statement: { ...shown.statement, claims: [] } };
};

describe("proofs of a journal", () => {
  test("rejects: the first that does not hold, wherever it is in its batch, with the entry it stands in", () => {
    for (const [at, bad, reason] of [
      [1, invalid(), "proof_invalid"],
      [MAX_PROOFS_PER_BATCH, invalid(), "proof_invalid"],
      [MAX_PROOFS_PER_BATCH + 6, invalid(), "proof_invalid"],
      [3, malformed(), "evidence_malformed (claims)"],
    ] as const) {
      const batches = new ProofBatches<number>(LOCAL_CHAIN_ID);
      let found: ReturnType<typeof batches.flush> = null;
      for (let entry = 1; entry <= MAX_PROOFS_PER_BATCH + 10 && found === null; entry += 1)
        found = batches.add(entry === at ? bad : sampleShown(), entry);
      expect(found ?? batches.flush(), `the bad one is at ${at}`).toEqual({ at, reason });
      expect(batches.verified).toBe(at - 1);
    }
  });

  test("rejects: keys that one party made, on a chain where money is worth something", () => {
    const batches = new ProofBatches<number>(1);
    batches.add(sampleShown(), 1);
    expect(() => batches.flush()).toThrow(/development key is refused on chain 1/);
  });

  test("behavior: those that hold are counted, also the last ones of a batch that is not full", () => {
    const batches = new ProofBatches<number>(LOCAL_CHAIN_ID);
    for (let entry = 1; entry <= 3; entry += 1) expect(batches.add(sampleShown(), entry)).toBeNull();
    expect(batches.verified, "they wait for others").toBe(0);
    expect(batches.flush()).toBeNull();
    expect([batches.verified, batches.flush(), batches.verified]).toEqual([3, null, 3]);
  });
});

const HOME = `0x${"a1".repeat(20)}` as const;

/** A registry's life, step by step; each answers the entries that it made. */
const LIFE: readonly ((market: Market) => Entry[])[] = [
  (market) => [market.accept(enrol(1)), market.accept(enrol(2)), market.accept(enrol(3))],
  (market) => [market.accept(credit(HOME, 1_000_000))],
  (market) => market.to(MIDNIGHT_S),
  // A rotation, an ordinary end, and another meter; all from the next window on.
  (market) => [market.accept(enrol(4, { replaces: word(2), connection: word(2) }))],
  (market) => [market.accept(unenrol(3)), market.accept(enrol(5))],
  (market) => market.to(MIDNIGHT_S + 3_600),
  (market) => [market.accept(readings(HOME, 1, FIRST_SLOT, [5, 5, 5, 5]))],
  (market) => [market.accept(unenrol(1, true))],
  (market) => market.to(deadlineS(FIRST_SLOT)),
  (market) => market.to(deadlineS(FIRST_SLOT) + 3_600),
  (market) => [market.accept(enrol(6))],
];

/** What the replay says of the first entry that it does not believe, when one event of them is bent. */
function replayed(bend: (event: Entry["events"][number]) => Entry["events"][number]) {
  const market = openMarket();
  const replay = new RegistryReplay();
  for (const step of LIFE) {
    for (const entry of step(market)) {
      const events = entry.events.map(bend);
      const wrong = replay.take({ ...entry, events }, market.state);
      if (wrong !== null) return { wrong, type: entry.events[0]?.type };
    }
  }
  return { roots: replay.roots };
}

describe("roots of the registry", () => {
  const other = word(0xbad);

  test("rejects: a leaf, a place or a root that the others do not bear out, at its own entry", () => {
    const enrolments = replayed((event) =>
      event.type === "meter_enrolled" ? { ...event, leaf: other } : event,
    );
    expect(enrolments).toEqual({ wrong: "the newest root is not its leaves'", type: "meter_enrolled" });
    const places = replayed((event) =>
      event.type === "meter_enrolled" ? { ...event, position: event.position + 1 } : event,
    );
    expect(places).toMatchObject({ type: "meter_enrolled" });
    const roots = replayed((event) =>
      event.type === "meter_enrolled" && event.meter === 4
        ? { ...event, nodes: event.nodes.with(-1, other) }
        : event,
    );
    expect(roots).toMatchObject({ wrong: "the newest root is not its leaves'" });
    const left = replayed((event) => (event.type === "meter_revoked" ? { ...event, leaf: other } : event));
    expect(left).toEqual({ wrong: "the newest root is not its leaves'", type: "meter_revoked" });
    const windows = replayed((event) =>
      event.type === "meter_revoked"
        ? { ...event, roots: event.roots.map((one) => ({ ...one, root: other })) }
        : event,
    );
    expect(windows).toMatchObject({
      wrong: expect.stringMatching(/^the root from slot \d+ on/),
      type: "meter_revoked",
    });
  });

  test("rejects: a window's root that is of other meters than were enrolled before it", () => {
    // As if the rotation had acted at once: what was claimed is about a root without the meter that it ended.
    const early = replayed((event) =>
      event.type === "meter_enrolled" && event.replaced > 0 ? { ...event, fromSlot: FIRST_SLOT } : event,
    );
    expect(early).toMatchObject({ wrong: expect.stringMatching(/root/) });
  });

  test("behavior: enrolments, rotations, ends and emergencies are followed, window by window", () => {
    expect(replayed((event) => event)).toEqual({ roots: expect.any(Number) });
  });
});
