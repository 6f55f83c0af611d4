// Owns the promise that an event of the meter register is all that a mirror needs for the command of the same content, the
// gateway's consent included. It refuses to look anything up but the event.

import { type Address, type Hex, hexToString, parseEventLogs, type TransactionReceipt } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { signConsent, verifyConsent } from "../../evidence/enrolment.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { gatewayIdOfSeed, regionTag } from "../../evidence/gateway-window.ts";
import { meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";
import { meterRegistryAbi } from "../../governance/generated/abi.ts";
import { commandSchemas } from "../../protocol/commands.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { nodeHex } from "../../protocol/quad-tree.ts";
import {
  type DeployedRegion,
  deployRegion,
  REGION,
  REGION_NAME,
  WINDOW_SLOTS,
} from "../support/deployed-region.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { word } from "../support/market.ts";

const SEED = new Uint8Array(32).fill(31);
const LIMITS = { nameplateWh: 1_000, connectionWh: 2_000, saleCapWh: 3_000, purchaseCapWh: 4_000 };

describe.skipIf(!hasAnvil)(
  "meter register on a chain (skipped where npm has no anvil for the machine)",
  () => {
    let region: DeployedRegion;
    beforeAll(async () => {
      region = await deployRegion();
    });
    afterAll(async () => {
      await region?.chain.stop();
    });

    const contextOf = (): EvidenceContext => ({
      chainId: LOCAL_CHAIN_ID,
      settlement: region.settlement.address.toLowerCase() as Address,
      regionId: REGION_NAME,
      windowSlots: WINDOW_SLOTS,
    });

    /** Enrols what a household's secret stands for, in another leaf's place or none. */
    const enrol = (secret: bigint, replaces: Hex) => {
      const [gatewayX, gatewayY] = poseidonKeyOf(SEED);
      const commitment = secretCommitment(secret);
      const { signature } = signConsent(SEED, contextOf(), commitment);
      const enrolment = {
        region: REGION,
        gatewayX,
        gatewayY,
        commitment,
        connection: word(1),
        ...LIMITS,
        replaces,
      };
      const [r8X, r8Y] = signature.r8;
      return region.chain.send(region.registry, "enrol", [enrolment, { r8X, r8Y, s: signature.s }]);
    };

    /** What a mirror makes of an enrolment: command and evidence, decoded as the region decodes them. */
    const mirrored = ({ logs }: TransactionReceipt) => {
      const [event] = parseEventLogs({ abi: meterRegistryAbi, logs, eventName: "MeterEnrolled" });
      if (event === undefined) throw new Error("no event");
      const { enrolment, consent, gateway, number } = event.args;
      const command = commandSchemas.enrol_meter.parse({
        ...enrolment,
        type: "enrol_meter",
        region: hexToString(enrolment.region, { size: 32 }),
        nonce: Number(number),
        expiresAtS: 1,
        gatewayX: String(enrolment.gatewayX),
        gatewayY: String(enrolment.gatewayY),
        commitment: String(enrolment.commitment),
        windowSlots: WINDOW_SLOTS,
      });
      const signature = { r8: [String(consent.r8X), String(consent.r8Y)], s: String(consent.s) };
      return {
        gateway,
        number,
        verdict: verifyConsent(contextOf(), command, { kind: "gateway-consent", signature }),
      };
    };

    test("behavior: an enrolment and a rotation are commands with their leaf", {
      timeout: 30_000,
    }, async () => {
      const first = mirrored(await enrol(77n, word(0)));
      const gateway = gatewayIdOfSeed(SEED);
      const leafOf = (secret: bigint) =>
        nodeHex(meterLeaf(poseidonKeyOf(SEED), secretCommitment(secret), regionTag(contextOf()), LIMITS));
      expect(first).toMatchObject({
        gateway,
        // The first event of the region appointed its installer.
        number: 2n,
        verdict: { ok: true, facts: { gateway, leaf: leafOf(77n) } },
      });
      await expect(enrol(78n, word(0))).rejects.toThrow("MeterRegistry_GatewayLive");
      const second = mirrored(await enrol(78n, gateway));
      expect(second).toMatchObject({
        number: 3n,
        verdict: { ok: true, facts: { gateway, leaf: leafOf(78n) } },
      });
    });

    test("behavior: an emergency is a command", { timeout: 30_000 }, async () => {
      const gateway = gatewayIdOfSeed(SEED);
      const { logs } = await region.chain.send(region.registry, "revoke", [gateway, true]);
      const [event] = parseEventLogs({ abi: meterRegistryAbi, logs, eventName: "MeterRevoked" });
      expect(event?.args).toMatchObject({ region: REGION, gateway, number: 4n, isEmergency: true });
    });
  },
);
