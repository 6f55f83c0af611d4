// Owns running a job under a lease over HTTP: with an API key of the buyer's, which also signs the voucher for what was run. It refuses
// whoever has no key; whose lease it is, and what is left of it, is the provider's object's to judge.

import { z } from "zod";
import { signingDomain } from "../../durable-objects/environment.ts";
import type { LeaseAnswer } from "../../durable-objects/provider/lease-runs.ts";
import { voucherDigest } from "../../evidence/delivery-voucher.ts";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import type { Rejection } from "../../protocol/errors.ts";
import { address, bytes32, count, type Hex, obligationId, regionId } from "../../protocol/fields.ts";
import { jobRequest } from "../../protocol/job-request.ts";
import type { LeaseVoucher } from "../../protocol/lease-frames.ts";
import { MAX_JOB_BODY_BYTES } from "../../protocol/limits.ts";
import type { LeaseJob } from "../../protocol/provider-frames.ts";
import { jobEnd } from "../../protocol/run-records.ts";
import { type LeaseTally, voucherFields } from "../../protocol/run-results.ts";
import { apiKeyOf } from "../authentication.ts";
import { requireInput } from "../job-orders.ts";
import { numeral } from "../parts.ts";
import { refuse } from "../problems.ts";
import { providerOf } from "../provider-access.ts";
import { type Application, route } from "../router.ts";

const leaseParams = z.strictObject({ region: regionId, account: address, obligation: numeral(obligationId) });
const { module, input, args, env, limits, startS } = jobRequest.shape;
const leaseRunRequest = z
  .strictObject({ module, input, args, env, limits, startS })
  .meta({ id: "LeaseRunRequest", description: "a job without what buys it: the lease is bought already" });

const leaseRunAnswer = z
  .strictObject({
    end: jobEnd,
    exitCode: z.int().nullable(),
    stdout: z.string().meta({ description: "base64" }),
    stderr: z.string().meta({ description: "base64" }),
    fuelUsed: count,
    outputHash: bytes32,
    trap: z.string().nullable(),
    deliveredMega: count.meta({ description: "of the lease, in all, with what this run used" }),
  })
  .meta({ id: "LeaseRunAnswer" });

/** What of a provider's object is called here, as it comes over a call between objects. */
interface LeaseCalls {
  runLease(lease: number, key: Hex, job: LeaseJob, input: Uint8Array): Promise<LeaseAnswer>;
  leaseTally(
    lease: number,
    key: Hex,
  ): Promise<{ readonly tally: LeaseTally } | { readonly rejection: Rejection }>;
  leaseVoucher(lease: number, voucher: LeaseVoucher): Promise<Rejection | null>;
}

/** Registers the path. */
export function leaseRoutes(application: Application): void {
  route(
    application,
    {
      method: "post",
      path: "/v1/regions/:region/providers/:account/leases/:obligation/runs",
      tag: "providers",
      summary: "Run a job under a lease",
      description:
        "Goes straight to the lease's provider, with an API key of its buyer's. The key also signs the voucher that pays for the run; nothing is owed for a run that fails.",
      accepts: "api-key",
      params: leaseParams,
      body: leaseRunRequest,
      bodyLimit: { limitBytes: MAX_JOB_BODY_BYTES, code: "job_input_too_large" },
      answers: leaseRunAnswer,
    },
    async ({ context, env: bindings, params, body }) => {
      const { region, account, obligation } = params;
      const { seed } = apiKeyOf(context);
      const key = sessionKeyOf(seed);
      const { input: _input, ...job } = body;
      const object = (await providerOf(bindings, region, account)) as unknown as LeaseCalls;
      const ran = await object.runLease(obligation, key, job, requireInput(body));
      if ("rejection" in ran) refuse(ran.rejection);
      const told = await object.leaseTally(obligation, key);
      if ("rejection" in told) refuse(told.rejection);
      const said = voucherFields(told.tally);
      const digest = voucherDigest(signingDomain(bindings), { region, obligationId: obligation, ...said });
      // One that is older than another's is of no use to anybody, and what it says is in the other.
      await object.leaseVoucher(obligation, {
        ...said,
        signature: signSession(seed, digest),
        sessionKey: key,
      });
      const { kind: _kind, stdout, stderr, ...result } = ran.result;
      return context.json({
        ...result,
        stdout: base64Of(stdout),
        stderr: base64Of(stderr),
        deliveredMega: said.deliveredMega,
      });
    },
  );
}

function base64Of(bytes: Uint8Array): string {
  let text = "";
  // As many characters as a call may have arguments.
  for (let at = 0; at < bytes.length; at += 8_192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(text);
}
