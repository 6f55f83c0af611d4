// Owns the audit: a journal is believed in nothing. Chain, signatures, consents and proofs are checked, the registry's roots
// made from its leaves, every command decided and everything the region did by itself derived again. It refuses at the
// first entry that does not follow.

import { createHash } from "node:crypto";
import { z } from "zod";
import type { EpochReport } from "../../evidence/epoch-report.ts";
import { type Receipt, verifyReceipt } from "../../evidence/receipt.ts";
import { verifyCommand } from "../../evidence/verified-command.ts";
import { isRemembered } from "../../market/decide.ts";
import { nextDueS } from "../../market/due.ts";
import { violations } from "../../market/invariants.ts";
import {
  chainHash,
  decodeLine,
  type Entry,
  execute,
  executeDue,
  GENESIS_HASH,
  stateHash,
} from "../../market/journal.ts";
import { createState, type RegionState, RULES_VERSION } from "../../market/state.ts";
import { commandSchema } from "../../protocol/commands.ts";
import { bytes32, entryNumber, type Hex, instantS, signatureBytes } from "../../protocol/fields.ts";
import type { SigningDomain } from "../../protocol/typed-data.ts";
import type { ChainDeposit } from "../chain/region-record.ts";
import { AuditedResults, type AuditsHeld } from "./audited-results.ts";
import { certificateRootOf } from "./certificate-root.ts";
import { type MirroredChain, MirroredEvents, type Wrong } from "./mirrored-events.ts";
import { type BadProof, ProofBatches, type VerifierOf } from "./proof-batches.ts";
import { RecordedStakes } from "./recorded-stakes.ts";
import { RegistryReplay } from "./registry-replay.ts";
import { type ReportDifference, ReportedEpochs } from "./reported-epochs.ts";
import { type LateVote, VotedVersions } from "./voted-versions.ts";

/** What an audit found. */
export interface AuditReport {
  readonly auditOk: boolean;
  readonly entries: number;
  readonly commands: number;
  readonly signatures: number;
  /** Consents and proofs. */
  readonly evidences: number;
  /** Meter proofs that were verified. */
  readonly proofs: number;
  /** Roots of the registry that were made from its leaves again. */
  readonly registryRoots: number;
  readonly dueSteps: number;
  /** State hashes in the journal that were compared. */
  readonly stateHashes: number;
  /** Receipts that were held against the journal. */
  readonly receipts: number;
  /** Reports on the chain that were held against the journal. */
  readonly reports: number;
  /** The first of them that the journal does not bear out. */
  readonly reportDifference: ReportDifference | null;
  /** Deposits and events of the register on the chain that the journal took as they are there. */
  readonly deposits: number;
  readonly registryEvents: number;
  /** Numbers of the register's events that the region passed over. */
  readonly passedOver: readonly number[];
  /** Deposits of the chain that the journal lacks. */
  readonly uncredited: readonly ChainDeposit[];
  /** Versions of voted parameters that the journal took as they are on the chain. */
  readonly votes: number;
  readonly lateVotes: readonly LateVote[];
  /** Entries that set a governed region's parameters without a vote. */
  readonly unvoted: readonly number[];
  /** Events of providers' stakes that the journal took as they are on the chain. */
  readonly stakes: number;
  /** Numbers of those that the region passed over. */
  readonly stakesPassedOver: readonly number[];
  /** What was found of the audits of jobs' results. */
  readonly audits: AuditsHeld;
  /** Certificate roots by epoch, of those that were asked for. */
  readonly certificateRoots: Readonly<Record<number, Hex>>;
  readonly headHash: string;
  readonly stateHash: Hex;
  /** The first entry that does not follow, and why. */
  readonly failure: { readonly entry: number; readonly reason: string } | null;
}

export interface AuditOptions {
  /** Receipts kept by somebody; each must be in the journal. */
  readonly receipts?: readonly Receipt[];
  /** What the region says of its state after an entry. */
  readonly claimed?: { readonly entry: number; readonly stateHash: Hex };
  /** Epochs whose certificate root is derived, and held against what the region publishes where that is not null. */
  readonly certificates?: ReadonlyMap<number, Hex | null>;
  /** What was reported to the region's chain, by epoch; each is held against what the journal gives. */
  readonly reported?: ReadonlyMap<number, EpochReport>;
  /** The region's chain: what the journal took from it must be there, and its deposits must be in the journal. */
  readonly chain?: MirroredChain;
  readonly progress?: (entry: number, proofs: number) => void;
  /** Called after each entry that holds, with the state it leads to. */
  readonly observe?: (entry: Entry, state: RegionState) => void;
  /** Verifies proofs instead of the committed keys, for a region that was never deployed: a simulated one. */
  readonly verifierOf?: VerifierOf;
}

/** SHA-256 over concatenated pieces as hex digits. */
export function sha256(...pieces: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** An entry does not follow: the one at hand, or the one named. */
class Mismatch extends Error {
  readonly entry: number | undefined;

  constructor(message: string, entry?: number) {
    super(message);
    this.entry = entry;
  }
}

const REFUSED = "the command's proof is refused: ";

/** An entry's frame, which the operator wrote and nobody decoded before; its command has a decoder of its own. */
const entrySchema = z.strictObject({
  number: entryNumber,
  atS: instantS,
  rules: z.int(),
  command: z.unknown().optional(),
  commandId: bytes32.optional(),
  auth: z
    .discriminatedUnion("scheme", [
      z.strictObject({ scheme: z.literal("wallet"), signature: signatureBytes }),
      z.strictObject({ scheme: z.literal("session"), key: bytes32, signature: signatureBytes }),
    ])
    .optional(),
  evidence: z.unknown().optional(),
  events: z.array(z.unknown()),
  stateHash: bytes32.optional(),
});

function parseEntry(body: string): Entry {
  let raw: unknown;
  try {
    raw = JSON.parse(body);
  } catch {
    throw new Mismatch("the entry is not JSON");
  }
  const decoded = entrySchema.safeParse(raw);
  if (!decoded.success)
    throw new Mismatch(`the entry is malformed: ${decoded.error.issues[0]?.path.join(".") || "value"}`);
  // The events are compared byte for byte with derived ones and never read before.
  return decoded.data as Entry;
}

/** Checks the invariants after every this many entries and at the end: they read the whole state. */
const INVARIANTS_EVERY = 500;

/** Replays a journal from its first line. */
export async function audit(
  domain: SigningDomain,
  lines: AsyncIterable<string> | Iterable<string>,
  options: AuditOptions = {},
): Promise<AuditReport> {
  const run = new AuditRun(domain, options);
  let failure: AuditReport["failure"] = null;
  try {
    for await (const line of lines) await run.take(line);
    await run.finish();
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    failure = run.failureOf(error);
  }
  return {
    auditOk: failure === null,
    ...run.counts,
    certificateRoots: run.certificateRoots,
    proofs: run.proofs.verified,
    registryRoots: run.registry.roots,
    reports: run.reported.held,
    reportDifference: run.reported.difference,
    ...run.mirrored.held,
    passedOver: run.mirrored.passedOver,
    uncredited: run.mirrored.uncredited,
    votes: run.voted.held,
    lateVotes: run.voted.late,
    unvoted: run.voted.unvoted,
    stakes: run.staked.held,
    stakesPassedOver: run.staked.passedOver,
    audits: run.audited.held,
    headHash: run.hash,
    stateHash: stateHash(run.state, sha256),
    failure,
  };
}

class AuditRun {
  readonly state = createState();
  readonly counts = {
    entries: 0,
    commands: 0,
    signatures: 0,
    evidences: 0,
    dueSteps: 0,
    stateHashes: 0,
    receipts: 0,
  };
  readonly certificateRoots: Record<number, Hex> = {};
  hash = GENESIS_HASH;
  number = 0;
  /** Verified many at a time, so behind the entries. */
  readonly proofs: ProofBatches<number>;
  readonly registry = new RegistryReplay();
  readonly reported: ReportedEpochs;
  readonly mirrored: MirroredEvents;
  readonly voted: VotedVersions;
  readonly staked: RecordedStakes;
  readonly audited = new AuditedResults();
  readonly #domain: SigningDomain;
  readonly #options: AuditOptions;
  readonly #receipts: Map<number, Receipt[]>;
  readonly #seen = new Set<Hex>();

  constructor(domain: SigningDomain, options: AuditOptions) {
    this.#domain = domain;
    this.#options = options;
    this.proofs = new ProofBatches(domain.chainId, options.verifierOf);
    this.reported = new ReportedEpochs(options.reported);
    this.mirrored = new MirroredEvents(options.chain);
    this.voted = new VotedVersions(options.chain);
    this.staked = new RecordedStakes(options.chain);
    this.#receipts = Map.groupBy(options.receipts ?? [], ({ entry }) => entry);
  }

  async take(line: string): Promise<void> {
    this.number += 1;
    const decoded = decodeLine(line);
    if (decoded === null) throw new Mismatch("the line is not a journal line");
    if (chainHash(sha256, this.hash, decoded.body) !== decoded.hash)
      throw new Mismatch("the hash does not follow from the entry before");
    const entry = parseEntry(decoded.body);
    if (entry.number !== this.number) throw new Mismatch(`the entry says it is number ${entry.number}`);
    if (entry.rules !== RULES_VERSION)
      throw new Mismatch(`decided by rules ${entry.rules}; audit it with the release that has them`);
    const derived = entry.command === undefined ? this.#deriveDueStep(entry) : await this.#decideAgain(entry);
    if (JSON.stringify(derived) !== decoded.body) throw new Mismatch("the entry is not what the rules give");
    const wrong = this.registry.take(entry, this.state);
    if (wrong !== null) throw new Mismatch(wrong);
    this.hash = decoded.hash;
    await this.#holdReceipts(decoded.hash, entry);
    this.counts.entries += 1;
    this.#holdClaim();
    this.#holdMirrored(this.mirrored.take(derived, this.state));
    this.#holdMirrored(this.voted.take(derived, this.state));
    this.#holdMirrored(this.staked.take(derived, this.state));
    this.audited.take(derived, this.state);
    this.#holdCertificates(derived);
    const unreported = this.reported.take(derived, this.state, this.hash);
    if (unreported !== null) throw new Mismatch(unreported);
    if (this.number % INVARIANTS_EVERY === 0) this.#checkInvariants();
    this.#options.observe?.(entry, this.state);
    this.#options.progress?.(this.number, this.proofs.verified);
  }

  /** What is wrong first: a proof that still waits stands before the entry that was refused. */
  failureOf(mismatch: Mismatch): NonNullable<AuditReport["failure"]> {
    if (mismatch.entry === undefined) {
      const bad = this.proofs.flush();
      if (bad !== null) return { entry: bad.at, reason: REFUSED + bad.reason };
    }
    return { entry: mismatch.entry ?? this.number, reason: mismatch.message };
  }

  async finish(): Promise<void> {
    this.#holdProofs(this.proofs.flush());
    this.#checkInvariants();
    const last = this.number;
    const { claimed, certificates = new Map() } = this.#options;
    const omitted = [...this.#receipts.keys()].filter((number) => number > last).sort((a, b) => a - b);
    for (const number of omitted) {
      this.number = number;
      for (const receipt of this.#receipts.get(number) ?? []) await this.#verifyReceipt(receipt);
      throw new Mismatch("a receipt names this entry and the journal lacks it");
    }
    for (const epoch of certificates.keys()) {
      if (this.certificateRoots[epoch] === undefined)
        throw new Mismatch(`epoch ${epoch} does not close in this journal`);
    }
    const unreported = this.reported.finish(this.state);
    if (unreported !== null) throw new Mismatch(unreported);
    this.#holdMirrored(await this.mirrored.finish());
    this.#holdMirrored(await this.voted.finish());
    this.#holdMirrored(await this.staked.finish());
    if (claimed !== undefined && claimed.entry > last) {
      this.number = last + 1;
      throw new Mismatch(`the region claims ${claimed.entry} entries and the journal ends before this one`);
    }
  }

  #deriveDueStep(entry: Entry): Entry {
    const due = nextDueS(this.state);
    if (due !== entry.atS)
      throw new Mismatch(`nothing is due at ${entry.atS}; the next step is due at ${due}`);
    const derived = executeDue(this.state, entry.atS, sha256) as Entry;
    this.counts.dueSteps += 1;
    if (derived.stateHash !== undefined) this.counts.stateHashes += 1;
    return derived;
  }

  async #decideAgain(entry: Entry): Promise<Entry> {
    const decoded = commandSchema.safeParse(entry.command);
    if (!decoded.success || entry.auth === undefined) throw new Mismatch("the command is malformed");
    const command = decoded.data;
    const verdict = await verifyCommand(this.#domain, command, entry.auth, entry.evidence);
    if (!verdict.ok) throw new Mismatch(REFUSED + verdict.code);
    this.counts.signatures += 1;
    if (entry.evidence !== undefined) this.counts.evidences += 1;
    const due = nextDueS(this.state);
    if (due !== null && due <= entry.atS) throw new Mismatch(`a step due at ${due} is missing before it`);
    if (entry.atS < this.state.header.atS) throw new Mismatch("market time goes back");
    const { commandId, signer, evidence, shown } = verdict;
    if (isRemembered(this.state, commandId) || this.#seen.has(commandId))
      throw new Mismatch("the command was accepted before");
    this.#seen.add(commandId);
    const result = execute(
      this.state,
      { command, commandId, signer, evidence },
      entry.auth,
      entry.evidence,
      entry.atS,
    );
    if ("rejection" in result) throw new Mismatch(`the rules refuse the command: ${result.rejection.code}`);
    this.counts.commands += 1;
    if (shown !== null) this.#holdProofs(this.proofs.add(shown, this.number));
    return result.entry;
  }

  #holdMirrored(wrong: Wrong | null): void {
    if (wrong !== null) throw new Mismatch(wrong.reason, wrong.entry);
  }

  #holdProofs(bad: BadProof<number> | null): void {
    if (bad !== null) throw new Mismatch(REFUSED + bad.reason, bad.at);
  }

  /** A receipt must be the region's, for this command at this number with this hash. */
  async #holdReceipts(hash: string, entry: Entry): Promise<void> {
    for (const receipt of this.#receipts.get(entry.number) ?? []) {
      await this.#verifyReceipt(receipt);
      if (receipt.entryHash !== `0x${hash}`)
        throw new Mismatch("a receipt proves that another entry stood here");
      this.counts.receipts += 1;
    }
  }

  /** Regions of one deployment share a receipt key, so another region's receipt proves nothing here. */
  async #verifyReceipt(receipt: Receipt): Promise<void> {
    const { opened } = this.state.header;
    if (opened === null) throw new Mismatch("a receipt for a region that is not open");
    const verdict = await verifyReceipt(receipt, opened.receiptKey);
    if (!verdict.ok) throw new Mismatch(`a receipt for this entry is not the region's: ${verdict.code}`);
    if (receipt.region !== opened.region || receipt.chainId !== this.#domain.chainId)
      throw new Mismatch("a receipt for this entry is another region's");
  }

  #holdClaim(): void {
    const { claimed } = this.#options;
    if (claimed?.entry !== this.number) return;
    if (stateHash(this.state, sha256) !== claimed.stateHash)
      throw new Mismatch("the region's state hash is not the replay's");
    this.counts.stateHashes += 1;
  }

  /** Derived with Poseidon, a third of a second for a thousand leaves, and so only where it was asked for. */
  #holdCertificates({ events }: Entry): void {
    for (const event of events) {
      if (event.type !== "epoch_closed") continue;
      const published = this.#options.certificates?.get(event.epoch);
      if (published === undefined) continue;
      const root = certificateRootOf(this.state, event);
      if (published !== null && published !== root)
        throw new Mismatch(`the region publishes another certificate root of epoch ${event.epoch}`);
      this.certificateRoots[event.epoch] = root;
    }
  }

  #checkInvariants(): void {
    const [broken] = violations(this.state);
    if (broken !== undefined) throw new Mismatch(`an invariant does not hold: ${broken}`);
  }
}
