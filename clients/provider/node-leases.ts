// Owns a node's part in leases: their runs go straight to the threads, and the newest voucher of each is answered with the
// settlement that it pays. It refuses runs of leases that it did not sell or further ahead of the vouchers than its credit, and
// vouchers that are not the buyer's.

import { describedJob } from "../../compute/described-job.ts";
import type { Job, JobResult } from "../../compute/host/job.ts";
import { voucherDigest } from "../../evidence/delivery-voucher.ts";
import { verifySession } from "../../evidence/session-signature.ts";
import { recoverWallet } from "../../evidence/wallet-signature.ts";
import type { JobDescription } from "../../protocol/jobs.ts";
import { leaseCreditMega } from "../../protocol/lease-frames.ts";
import type { LeaseJob, NodeFrame, ObjectFrame, Parts } from "../../protocol/provider-frames.ts";
import { inputHashOf, leaseDescription, NO_INPUT_HASH } from "../../protocol/run-results.ts";
import { FUEL_PER_MEGA } from "../../protocol/units.ts";
import type { NodeKey } from "./node-key.ts";
import type { RunJob } from "./node-runs.ts";
import type { SoldLease, SoldWork } from "./sold-work.ts";

type LeaseRun = Extract<ObjectFrame, { type: "lease_run" }>;
type Voucher = Extract<ObjectFrame, { type: "lease_voucher" }>;

/** Kinds of runs that a node remembers: several times what its object does. */
const MOST_JOBS = 1_024;
/** Leases that a node remembers; what it forgets it asks for again. */
const MOST_LEASES = 256;
const NOTHING = new Uint8Array(0);

export interface NodeLeasePorts {
  readonly key: NodeKey;
  readonly sold: SoldWork;
  readonly run: RunJob;
  readonly send: (frame: NodeFrame, parts?: Parts) => void;
  readonly report: (line: string) => void;
}

/** What was run of a lease over this connection, and what of it is vouched for. */
interface Live {
  readonly lease: number;
  terms: SoldLease;
  usedFuel: number;
  reservedMega: number;
  /** Vouched for when the counting began, and now. */
  startMega: number;
  vouchedMega: number;
}

interface Known {
  readonly job: LeaseJob;
  readonly noInput: JobDescription;
  readonly noInputJob: Job;
}

/** The leases of one node. */
export class NodeLeases {
  readonly #ports: NodeLeasePorts;
  readonly #jobs = new Map<number, Known>();
  readonly #live = new Map<number, Live>();
  #loading = new Map<number, Promise<Live>>();
  /** By lease: until the voucher that came last has been looked at. */
  readonly #checking = new Map<number, Promise<void>>();

  constructor(ports: NodeLeasePorts) {
    this.#ports = ports;
  }

  /** Another connection: the object may have lost the last runs of the one before, and says all vouchers again. */
  connected(): void {
    this.#live.clear();
    this.#loading = new Map();
  }

  /** Learns what runs are of. */
  prepare({ job, description }: Extract<ObjectFrame, { type: "lease_job" }>): void {
    const noInput = leaseDescription(description, NO_INPUT_HASH);
    this.#jobs.set(job, { job: description, noInput, noInputJob: describedJob(noInput, NOTHING) });
    if (this.#jobs.size > MOST_JOBS) this.#jobs.delete(this.#jobs.keys().next().value as number);
  }

  /** Runs and answers: at once where the lease is known and within its credit. */
  run(frame: LeaseRun, [input = NOTHING]: Parts): void {
    const known = this.#jobs.get(frame.job);
    if (known === undefined) {
      this.#failed(frame, "job_malformed: it was not prepared");
      return;
    }
    const live = this.#live.get(frame.lease);
    if (live !== undefined && this.#hasCredit(live, known)) this.#start(live, frame, known, input);
    else void this.#wait(frame, known, input);
  }

  /** Takes a voucher in; one after the other. */
  voucher(frame: Voucher): void {
    const { lease } = frame;
    const before = this.#checking.get(lease);
    const checking = (async () => {
      await before;
      await this.#voucher(await this.#find(lease), frame);
    })()
      .catch((error: unknown) => this.#ports.report(`a voucher of lease ${lease}: ${wordsOf(error)}`))
      .finally(() => {
        if (this.#checking.get(lease) === checking) this.#checking.delete(lease);
      });
    this.#checking.set(lease, checking);
  }

  /** A run of a lease that is not known yet, or that waits for a voucher which is being looked at. */
  async #wait(frame: LeaseRun, known: Known, input: Uint8Array): Promise<void> {
    try {
      const live = await this.#find(frame.lease);
      await this.#checking.get(frame.lease);
      if (this.#hasCredit(live, known)) this.#start(live, frame, known, input);
      else this.#failed(frame, "voucher_due");
    } catch (error) {
      this.#failed(frame, wordsOf(error));
    }
  }

  #hasCredit({ terms, usedFuel, reservedMega, startMega, vouchedMega }: Live, { job }: Known): boolean {
    const usedMega = Math.ceil(usedFuel / FUEL_PER_MEGA);
    const aheadMega = usedMega + reservedMega + job.limits.fuelMega - (vouchedMega - startMega);
    return aheadMega <= leaseCreditMega(terms.quantityMega);
  }

  #start(live: Live, { lease, run }: LeaseRun, known: Known, input: Uint8Array): void {
    const { send } = this.#ports;
    const { job, noInput, noInputJob } = known;
    const description = input.length === 0 ? noInput : leaseDescription(job, inputHashOf(input));
    const asked = input.length === 0 ? noInputJob : describedJob(description, input);
    live.reservedMega += job.limits.fuelMega;
    this.#ports.run(description, asked).then(
      ({ end, exitCode, fuelUsed, trap, stdout, stderr }: JobResult) => {
        live.reservedMega -= job.limits.fuelMega;
        live.usedFuel += fuelUsed;
        const words = trap === null ? null : trap.slice(0, 1_000);
        send({ type: "lease_ran", lease, run, end, exitCode, fuelUsed, trap: words }, [stdout, stderr]);
      },
      (error: unknown) => {
        live.reservedMega -= job.limits.fuelMega;
        this.#failed({ lease, run }, wordsOf(error));
      },
    );
  }

  #failed({ lease, run }: Pick<LeaseRun, "lease" | "run">, reason: string): void {
    this.#ports.send({ type: "lease_failed", lease, run, reason });
  }

  /** Asks the region once about a lease. @throws Error where this node did not sell it */
  #find(lease: number): Promise<Live> {
    const known = this.#live.get(lease);
    if (known !== undefined) return Promise.resolve(known);
    const loading = this.#loading;
    let asked = loading.get(lease);
    if (asked === undefined) {
      asked = this.#ports.sold
        .lease(lease)
        .then((terms) => {
          const { deliveredMega } = terms;
          const counts = {
            usedFuel: 0,
            reservedMega: 0,
            startMega: deliveredMega,
            vouchedMega: deliveredMega,
          };
          const live: Live = { lease, terms, ...counts };
          if (loading === this.#loading) this.#live.set(lease, live);
          if (this.#live.size > MOST_LEASES) this.#live.delete(this.#live.keys().next().value as number);
          return live;
        })
        .finally(() => loading.delete(lease));
      loading.set(lease, asked);
    }
    return asked;
  }

  /** Signs the settlement that a voucher pays. @throws Error for one that is not the buyer's */
  async #voucher(live: Live, voucher: Voucher): Promise<void> {
    const { key, send } = this.#ports;
    const { lease, deliveredMega, jobDigest, outputHash, signature, sessionKey } = voucher;
    const { domain, region } = key.identity;
    const fields = { region, obligationId: lease, deliveredMega, jobDigest, outputHash };
    const digest = voucherDigest(domain, fields);
    const verdict =
      sessionKey === null
        ? recoverWallet(digest, signature)
        : await verifySession(sessionKey, digest, signature);
    if (!verdict.ok) throw new Error(verdict.code);
    const { buyer, boughtBy } = live.terms;
    const isBuyers = "wallet" in verdict ? verdict.wallet === buyer : sessionKey === boughtBy;
    if (!isBuyers) throw new Error("it is not the buyer's");
    // What was vouched for before anything was run over this connection was run before it.
    if (live.usedFuel === 0 && live.reservedMega === 0)
      live.startMega = Math.max(live.startMega, deliveredMega);
    live.vouchedMega = Math.max(live.vouchedMega, deliveredMega);
    const { deadlineS } = live.terms;
    const settle = key.settle(
      { obligationId: lease, deadlineS },
      { deliveredMega, jobDigest, outputHash },
      false,
    );
    send({ type: "lease_settled", lease, settle });
  }
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
