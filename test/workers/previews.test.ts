// Owns previews over HTTP: what cannot be previewed and why, and that a draft's effect on a day that two homes traded is what the
// rules give. It refuses a preview that changes anything.

import { describe, expect, test } from "vitest";
import { MAX_PREVIEWS_PER_MINUTE } from "../../protocol/limits.ts";
import { FIRST_SLOT, goTo, useMarketTime } from "../durable-objects/region-under-test.ts";
import { PARAMETERS } from "../support/market.ts";
import { addressOf, GatewayUnderTest, request, walletOf } from "./gateway-under-test.ts";
import { buyer, tradedDay } from "./traded-day.ts";

useMarketTime();

const PATH = "/v1/governance/previews";
const preview = (body: object) => request("POST", PATH, body);

describe("what is refused", () => {
  test("rejects: regions that are not there or not open, drafts that no version could hold, and no epoch yet", async () => {
    const polder = await GatewayUnderTest.furnished();
    const region = polder.name;
    const refused = async (code: string, body: object) => polder.refuse(code as never, () => preview(body));
    expect(await refused("region_not_found", { region: "atlantis", values: {} })).toEqual({
      region: "atlantis",
    });
    expect(await refused("parameters_out_of_bounds", { region, values: { takeRateBps: 2_001 } })).toEqual({
      parameter: "takeRateBps",
      got: "2001",
      least: "0",
      most: "2000",
    });
    expect(
      await refused("parameters_out_of_bounds", { region, values: { proofDelaySeconds: 3_601 } }),
    ).toMatchObject({ limitSeconds: 3_600 });
    for (const body of [
      {},
      { region },
      { region, values: { mint: 1 } },
      { region, values: { emissionPerEpoch: 5 } },
      { region, values: {}, epochs: 0 },
      { region, values: {}, epochs: 31 },
      { region, values: {}, account: "0x12" },
      { region, values: {}, tokenMicros: -1 },
      { region, values: {}, more: 1 },
    ])
      await refused("malformed_request", body);
    expect(await refused("epoch_not_found", { region, values: {} })).toEqual({ region, closed: 0 });
  });
});

/** A token must be worth half as much where fees earn twice as many. */
async function expectEasier(region: string): Promise<void> {
  const [energy] = (await preview({ region, values: { rewardPerFee: "2000000000" } })).json.selfTrading;
  expect(energy).toMatchObject({
    change: "easier",
    inForce: { breakEvenMicrosPerToken: "1000000000000000" },
    preview: { breakEvenMicrosPerToken: "500000000000000", gainMicros: null },
  });
}

describe("a draft over a traded day", () => {
  test("behavior: nothing changes without one, and with one what the rules give; the region stays as it is", async () => {
    const polder = await tradedDay({ parameters: { ...PARAMETERS, takeRateBps: 100, shareCapBps: 10_000 } });
    // The second window's deadline closes the epoch.
    goTo((FIRST_SLOT + 8) * 900 + PARAMETERS.proofDelaySeconds);
    await polder.region.ring();
    const before = await polder.region.stateHash();
    const { region, account } = { region: polder.name, account: polder.account };
    const same = (await preview({ region, values: {}, account })).json;
    const { epochs } = (await polder.get("/epochs")).json;
    expect(epochs).toMatchObject([{ epoch: FIRST_SLOT / 8, parametersVersion: 1, voteVersion: 0 }]);
    expect(same.total.preview).toEqual(same.total.paid);
    expect(same.total.paid).toMatchObject({
      rewards: epochs[0].rewards[account],
      feesMicros: String(epochs[0].feesMicros),
    });
    expect(same).toMatchObject({ unchanged: [], restartsEmission: false, own: { account, soldWh: 1_000 } });
    const bill = (await polder.get(`/accounts/${account}/bill`)).json;
    expect(same.own.paid.receivedMicros).toBe(String(bill.totals.amountMicros));
    const values = { takeRateBps: 200, rewardWeightCompute: 1, shareCapBps: 1_000, clearingPriceK: 3 };
    const reply = await preview({
      region,
      values,
      account: addressOf(buyer),
      epochs: 1,
      tokenMicros: 1_000_000,
    });
    expect(reply.status).toBe(200);
    const sales = BigInt(same.own.paid.receivedMicros) + BigInt(same.own.paid.feesMicros);
    const fee = (sales * 200n + 9_999n) / 10_000n;
    expect(reply.json).toMatchObject({
      unchanged: ["clearingPriceK"],
      leftOut: { providers: 0, accounts: 0, deliveries: [] },
      own: { account: addressOf(buyer), soldWh: 0, boughtWh: 1_000 },
      providers: [
        {
          account,
          resource: "energy",
          // A tenth of the emission is less than half of it, which energy's weight is now.
          preview: { rewards: "100000", feesMicros: String(fee), receivedMicros: String(sales - fee) },
        },
      ],
      resources: [
        { resource: "energy", weight: 1, previewWeight: 1, units: "1000", soldWh: 1_000 },
        { resource: "compute", weight: 0, previewWeight: 1, units: "0", soldWh: 0 },
        { resource: "bandwidth", weight: 0, previewWeight: 0, soldWh: 0 },
      ],
      selfTrading: [
        { resource: "energy", change: "none", inForce: { networkMicros: "0" } },
        // Its weight was nothing.
        { resource: "compute", change: "easier", inForce: { breakEvenMicrosPerToken: null } },
        { resource: "bandwidth", change: "none" },
      ],
    });
    expect(reply.json.accounts.map((row: { account: string }) => row.account)).toEqual([
      account,
      addressOf(buyer),
    ]);
    await expectEasier(region);
    const stranger = await preview({ region, values: {}, account: addressOf(walletOf(99)) });
    expect(stranger.json.own).toBeNull();
    const emission = (await preview({ region, values: { emissionPerEpoch: "10" } })).json;
    expect(emission).toMatchObject({ restartsEmission: true, epochs: [{ previewEmission: "10" }] });
    expect(await polder.region.stateHash()).toEqual(before);
    const { parameters } = (await polder.get("/parameters")).json;
    expect(parameters).toMatchObject([{ version: 1, fromEpoch: 0, voteVersion: 0 }]);
  });

  test("rejects: more of a region's previews in a minute than there may be, until the next one", async () => {
    const polder = await tradedDay({});
    goTo((FIRST_SLOT + 8) * 900 + PARAMETERS.proofDelaySeconds);
    await polder.region.ring();
    const asked = () => preview({ region: polder.name, values: {} });
    for (let number = 0; number < MAX_PREVIEWS_PER_MINUTE; number += 1) await asked();
    expect((await asked()).json).toMatchObject({ code: "overloaded", transient: true });
    goTo((FIRST_SLOT + 8) * 900 + PARAMETERS.proofDelaySeconds + 60);
    expect((await asked()).status).toBe(200);
  });
});
