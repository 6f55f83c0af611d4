// Owns what somebody hostile does with proofs: each attack is made from what an honest prover proves, because nobody can do
// more. It refuses to be subtle about the outcome: what must never be accepted, whatever the region's state, says so.

import { bn254 } from "@noble/curves/bn254.js";
import type { MeterProof, ShownWindow } from "../../evidence/meter-proof.ts";
import type { Registry } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_FAILED_PROOFS } from "../../protocol/limits.ts";
import { malleated } from "../support/trapdoor-prover.ts";
import { CONTEXT, type Meter, measuredBy, meterAmong, meterOf, policyOf, SECRETS } from "./meters.ts";
import { HOUSEHOLDS, type Household, homeOf, INTRUDER } from "./people.ts";
import { type Clients, type Draft, penOf } from "./requests.ts";
import type { Attack, ProofAttack } from "./steps.ts";

/** What an attacker knows. */
export interface ProofScene {
  readonly clients: Clients;
  readonly who: number;
  /** Chooses among an attack's spellings. */
  readonly salt: number;
  /** Of the window that ended last by the household's clock. */
  readonly registry: Registry;
  /** Of the one after it. */
  readonly next: Registry | null;
}

/** A window as an attacker shows it. */
interface Shown extends ShownWindow {
  /** Who is to be paid, and signs. */
  readonly home: Household;
  readonly firstSlot: number;
  readonly mustFail: boolean;
}

/** What a household proves honestly, and its meter. */
interface Honest {
  readonly home: Household;
  readonly meter: Meter;
  readonly shown: ShownWindow;
}

type Spoil = (scene: ProofScene, honest: Honest) => readonly Shown[];

/** The requests of an attack; none where the household has nothing to attack with. */
export async function proofAttacksOf(how: ProofAttack, scene: ProofScene): Promise<Draft[]> {
  const { clients, who } = scene;
  const honest = honestOf(scene);
  if (honest === null) return [];
  return Promise.all(
    ATTACKS[how](scene, honest).map(async ({ home, firstSlot, netWh, evidence, mustFail }) => {
      const body = { type: "submit_readings", account: home.account, firstSlot, netWh } as const;
      const command = clients.bind(body, who);
      const raw = { command, auth: await penOf(home, 0)(command), evidence };
      return { name: how, who: null, raw, mustFail, isHonest: false };
    }),
  );
}

export function isProofAttack(how: Attack): how is ProofAttack {
  return how in ATTACKS;
}

/** What the home's first gateway lets it prove. */
function honestOf({ clients, who, registry }: ProofScene): Honest | null {
  const home = homeOf(who);
  const meter = meterAmong(home, 0, registry.leaves);
  if (meter === null) return null;
  const { firstSlot, leaves } = registry;
  const shown = clients.proving.prove({
    meter,
    account: home.account,
    firstSlot,
    netWh: measuredBy(who, 0, firstSlot),
    policy: policyOf(home),
    leaves,
  });
  return shown === null ? null : { home, meter, shown };
}

/** Proves what the home's gateway measured in another way than is honest. */
function proved(
  { clients, who, registry }: ProofScene,
  { home, meter }: Honest,
  more: Partial<Parameters<Clients["proving"]["prove"]>[0]>,
): ShownWindow | null {
  const { firstSlot, leaves } = registry;
  const netWh = measuredBy(who, 0, more.firstSlot ?? firstSlot);
  const wish = { meter, account: home.account, firstSlot, netWh, policy: policyOf(home), leaves };
  return clients.proving.prove({ ...wish, ...more });
}

/** Shows a window for the home it is about, where there is one. */
function show(
  { registry }: ProofScene,
  { home }: Honest,
  shown: ShownWindow | null,
  more: { readonly evidence?: Partial<MeterProof> } & Partial<Omit<Shown, "evidence">> = {},
): Shown[] {
  if (shown === null) return [];
  const evidence = { ...shown.evidence, ...more.evidence };
  return [{ home, firstSlot: registry.firstSlot, mustFail: true, ...shown, ...more, evidence }];
}

const neighbourOf = (who: number): Household => homeOf((who + 1) % HOUSEHOLDS);
/** Under the window's root, or under the one it was made for. */
const rootOf = ({ salt, registry }: ProofScene): Partial<MeterProof> =>
  salt % 2 === 0 ? {} : { root: registry.root };

const ATTACKS: Readonly<Record<ProofAttack, Spoil>> = {
  "another's proof": (scene, honest) => show(scene, honest, honest.shown, { home: neighbourOf(scene.who) }),

  "another region's proof": (scene, honest) => {
    const context = { ...CONTEXT, regionId: "elsewhere" };
    const meter = meterOf(honest.home, 0, 0, context);
    const shown = proved(scene, honest, { context, meter, leaves: [meter.leaf] });
    return show(scene, honest, shown, { evidence: rootOf(scene) });
  },

  "another window's proof": (scene, honest) => {
    const firstSlot = scene.registry.firstSlot - 4;
    return show(scene, honest, proved(scene, honest, { firstSlot }));
  },

  // A set of meters that no window of the region ever had: one of them is nobody's.
  "stale root": (scene, honest) =>
    show(scene, honest, proved(scene, honest, { leaves: [...scene.registry.leaves, strayLeaf()] })),

  "meter of nobody": (scene, honest) => {
    const meter = meterOf(INTRUDER, 0, 0);
    const leaves = [...scene.registry.leaves, meter.leaf];
    return show(scene, honest, proved(scene, honest, { meter, leaves }), { evidence: rootOf(scene) });
  },

  // Not by itself refused: whose account a meter pays is its household's to say. That it pays one is the book's to see.
  "nullifier again": (scene, honest) => {
    const home = neighbourOf(scene.who);
    const shown = proved(scene, honest, { account: home.account });
    return show(scene, honest, shown, { home, mustFail: false });
  },

  "claims inflated": (scene, honest) => [inflated(scene, honest, scene.salt)],

  "directions swapped": (scene, honest) => {
    const { netWh, evidence } = honest.shown;
    const swapped = netWh.map((wh) => (wh === 0 ? 0 : -wh));
    // A slot of which nothing is claimed has a direction too.
    const zeros = netWh.flatMap((wh, slot) => (wh === 0 ? [slot] : []));
    const heldBack = zeros.filter((slot) => !evidence.heldBack.includes(slot));
    return show(scene, honest, { ...honest.shown, netWh: swapped }, { evidence: { heldBack } });
  },

  // The new secret's leaf stands in the next window's tree. Two secrets of one meter must not prove one window.
  "secret rotated": (scene, honest) => {
    const { next, registry, who } = scene;
    const home = homeOf(who);
    const fresh = Array.from({ length: SECRETS }, (_, secret) => meterOf(home, 0, secret)).find(
      ({ leaf }) => next?.leaves.includes(leaf) && !registry.leaves.includes(leaf),
    );
    if (fresh === undefined || next === null) return [];
    const shown = proved(scene, honest, { meter: fresh, leaves: next.leaves });
    return show(scene, honest, shown, { evidence: rootOf(scene) });
  },

  // It holds as much as the honest one; only one of them may be paid.
  "proof malleated": (scene, honest) => {
    const proof = malleated(honest.shown.evidence.proof) as MeterProof["proof"];
    return show(scene, honest, honest.shown, { evidence: { proof }, mustFail: false });
  },

  "proof of junk": (scene, honest) => {
    const { proof } = honest.shown.evidence;
    const junk = JUNK[scene.salt % JUNK.length] as (typeof JUNK)[number];
    return show(scene, honest, honest.shown, { evidence: { proof: junk(proof) } });
  },

  "proofs that fail": (scene, honest) =>
    Array.from({ length: MAX_FAILED_PROOFS + 2 }, (_, index) => inflated(scene, honest, scene.salt + index)),

  // Not by itself refused: the region's clock may be ahead. That none is accepted early is the book's to see.
  "window not over": (scene, honest) => {
    const { next } = scene;
    if (next === null || !next.leaves.includes(honest.meter.leaf)) return [];
    const { firstSlot, leaves } = next;
    return show(scene, honest, proved(scene, honest, { firstSlot, leaves }), { firstSlot, mustFail: false });
  },

  // Its gateway signs a window twice. That one is accepted at most is the book's to see.
  "window again": (scene, honest) =>
    show(scene, honest, proved(scene, honest, { netWh: [777, 777, -777, 0] }), { mustFail: false }),
};

/** Claims more than was proved of one slot. */
function inflated(scene: ProofScene, honest: Honest, salt: number): Shown {
  const slot = salt % 4;
  const byWh = 1 + (salt % 3) * 1_000;
  const netWh = honest.shown.netWh.map((wh, index) => (index === slot ? wh + (wh < 0 ? -byWh : byWh) : wh));
  const heldBack = honest.shown.evidence.heldBack.filter((held) => held !== slot);
  const [shown] = show(scene, honest, { ...honest.shown, netWh }, { evidence: { heldBack } });
  return shown as Shown;
}

const strayLeaf = (): Hex => meterOf(INTRUDER, 1, 1).leaf;

type Proof = MeterProof["proof"];
/** The order of the coordinates' field: x and x + q are one point in two spellings. */
const Q: bigint = bn254.fields.Fp.ORDER;

const JUNK: readonly ((proof: Proof) => Proof)[] = [
  (proof) => ({ ...proof, pi_a: proof.pi_c }),
  (proof) => ({ ...proof, pi_a: ["1", "1", "1"] }),
  (proof) => ({ ...proof, pi_c: ["0", "0", "1"] }),
  (proof) => ({ ...proof, pi_c: [proof.pi_c[0] as string, proof.pi_c[1] as string, "2"] }),
  (proof) => ({ ...proof, pi_a: [(BigInt(proof.pi_a[0] as string) + Q).toString(), ...proof.pi_a.slice(1)] }),
  (proof) => ({ ...proof, pi_b: [proof.pi_b[1] as string[], proof.pi_b[0] as string[], ["1", "0"]] }),
];
