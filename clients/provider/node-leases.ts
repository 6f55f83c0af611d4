// Owns a node's part in leases: their runs go straight to the threads, and the newest voucher of each is answered with the
// settlement that it pays. It refuses a voucher whose signature does not hold.

import type { JobResult } from "../../compute/host/job.ts";
import { voucherDigest } from "../../evidence/delivery-voucher.ts";
import { verifySession } from "../../evidence/session-signature.ts";
import { recoverWallet } from "../../evidence/wallet-signature.ts";
import type { NodeFrame, ObjectFrame, Parts } from "../../protocol/provider-frames.ts";
import type { NodeKey } from "./node-key.ts";
import type { RunDescription } from "./node-runs.ts";

type LeaseRun = Extract<ObjectFrame, { type: "lease_run" }>;
type Voucher = Extract<ObjectFrame, { type: "lease_voucher" }>;

export interface NodeLeasePorts {
  readonly key: NodeKey;
  readonly run: RunDescription;
  readonly send: (frame: NodeFrame, parts?: Parts) => void;
  readonly report: (line: string) => void;
}

/** The leases of one node. */
export class NodeLeases {
  readonly #ports: NodeLeasePorts;

  constructor(ports: NodeLeasePorts) {
    this.#ports = ports;
  }

  /** Runs and answers; the object counts what its buyer has not vouched for. */
  run({ lease, run, description }: LeaseRun, [input = new Uint8Array(0)]: Parts): void {
    const { send } = this.#ports;
    this.#ports.run(description, input, description.limits.fuelMega * 1_000_000).then(
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
