// Owns a node's part in leases: their runs go straight to the threads, and the newest voucher of each is answered with the
// settlement that it pays. It refuses a voucher whose signature does not hold.

import type { Job, JobResult } from "../../compute/host/job.ts";
import { voucherDigest } from "../../evidence/delivery-voucher.ts";
import { verifySession } from "../../evidence/session-signature.ts";
import { recoverWallet } from "../../evidence/wallet-signature.ts";
import type { JobDescription } from "../../protocol/jobs.ts";
import type { LeaseJob, NodeFrame, ObjectFrame, Parts } from "../../protocol/provider-frames.ts";
import { inputHashOf, leaseDescription, NO_INPUT_HASH } from "../../protocol/run-results.ts";
import type { NodeKey } from "./node-key.ts";
import { jobOf, type RunJob } from "./node-runs.ts";

type LeaseRun = Extract<ObjectFrame, { type: "lease_run" }>;
type Voucher = Extract<ObjectFrame, { type: "lease_voucher" }>;

/** Kinds of runs that a node remembers: several times what its object does. */
const MOST_JOBS = 1_024;
const NOTHING = new Uint8Array(0);
const fuelOf = ({ limits }: LeaseJob): number => limits.fuelMega * 1_000_000;

export interface NodeLeasePorts {
  readonly key: NodeKey;
  readonly run: RunJob;
  readonly send: (frame: NodeFrame, parts?: Parts) => void;
  readonly report: (line: string) => void;
}

/** The leases of one node. */
export class NodeLeases {
  readonly #ports: NodeLeasePorts;
  readonly #jobs = new Map<
    number,
    { readonly job: LeaseJob; readonly noInput: JobDescription; readonly noInputJob: Job }
  >();

  constructor(ports: NodeLeasePorts) {
    this.#ports = ports;
  }

  /** Learns what runs are of. */
  prepare({ job, description }: Extract<ObjectFrame, { type: "lease_job" }>): void {
    const noInput = leaseDescription(description, NO_INPUT_HASH);
    this.#jobs.set(job, {
      job: description,
      noInput,
      noInputJob: jobOf(noInput, NOTHING, fuelOf(description)),
    });
    if (this.#jobs.size > MOST_JOBS) this.#jobs.delete(this.#jobs.keys().next().value as number);
  }

  /** Runs and answers; the object counts what its buyer has not vouched for. */
  run({ lease, run, job: number }: LeaseRun, [input = NOTHING]: Parts): void {
    const { send } = this.#ports;
    const known = this.#jobs.get(number);
    if (known === undefined) {
      send({ type: "lease_failed", lease, run, reason: "job_malformed: it was not prepared" });
      return;
    }
    const { job, noInput, noInputJob } = known;
    const description = input.length === 0 ? noInput : leaseDescription(job, inputHashOf(input));
    const asked = input.length === 0 ? noInputJob : jobOf(description, input, fuelOf(job));
    this.#ports.run(description, asked).then(
      ({ end, exitCode, fuelUsed, trap, stdout, stderr }: JobResult) => {
        const words = trap === null ? null : trap.slice(0, 1_000);
        send({ type: "lease_ran", lease, run, end, exitCode, fuelUsed, trap: words }, [stdout, stderr]);
      },
      (error: unknown) => {
        const reason = (error instanceof Error ? error.message : String(error)).slice(0, 200);
        send({ type: "lease_failed", lease, run, reason });
      },
    );
  }

  /** Signs the settlement that a voucher pays. */
  async voucher({
    lease,
    deliveredMega,
    jobDigest,
    outputHash,
    signature,
    sessionKey,
  }: Voucher): Promise<void> {
    const { key, send, report } = this.#ports;
    const { domain, region } = key.identity;
    const digest = voucherDigest(domain, {
      region,
      obligationId: lease,
      deliveredMega,
      jobDigest,
      outputHash,
    });
    const verdict =
      sessionKey === null
        ? recoverWallet(digest, signature)
        : await verifySession(sessionKey, digest, signature);
    if (verdict.ok)
      send({
        type: "lease_settled",
        lease,
        settle: key.settle(lease, deliveredMega, jobDigest, outputHash, false),
      });
    else report(`a voucher of lease ${lease} does not hold: ${verdict.code}`);
  }
}
