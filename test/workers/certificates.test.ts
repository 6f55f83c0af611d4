// Owns the promises of certificates over HTTP: who may commit, and that the tree of a closed epoch is the journal's. It
// refuses an answer that says which leaf is whose.

import { describe, expect, test } from "vitest";
import { certificateTree } from "../../evidence/certificate-tree.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { secretCommitment } from "../../evidence/meter-statement.ts";
import { deadlineS, FIRST_SLOT, goTo, proof, useMarketTime } from "../durable-objects/region-under-test.ts";
import { address, commit, credit, enrol, place, wallet } from "../support/market.ts";
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  installer,
  operator,
  walletOf,
} from "./gateway-under-test.ts";

useMarketTime();

const EPOCH = FIRST_SLOT / 8;
const commitmentOf = (number: number): string => secretCommitment(BigInt(number)).toString();

/** A region whose first epoch closes with a trade of 400 Wh between two homes, both with commitments. */
async function closedEpoch(): Promise<GatewayUnderTest> {
  const polder = await GatewayUnderTest.furnished();
  const { region } = polder;
  for (const home of [5, 6]) {
    await region.accept(enrol(home, {}, wallet(addressOf(installer))));
    await region.accept(credit(address(home), 1_000_000_000, wallet(addressOf(operator))));
    await region.accept(commit(address(home), home));
  }
  await region.accept(place(address(5), "sell", [[100_000, 1_000]]));
  await region.accept(place(address(6), "buy", [[300_000, 1_000]]));
  goTo((FIRST_SLOT + 4) * 900);
  await region.accept(proof(5, FIRST_SLOT, [400]));
  await region.accept(proof(6, FIRST_SLOT, [-400]));
  goTo(deadlineS(FIRST_SLOT + 4));
  await region.ring();
  return polder;
}

describe("commitments", () => {
  test("rejects: a session key, an API key, a stranger, and what is no commitment", async () => {
    const polder = await GatewayUnderTest.furnished();
    const { account, home } = polder;
    const command = (commitment: unknown) => polder.command("commit_certificate", { account, commitment });
    const good = command(commitmentOf(1));
    await polder.refuse("session_scope", () =>
      polder.post("/certificates", polder.bySession(polder.sessionSeed, good)),
    );
    await polder.refuse("malformed_request", () =>
      polder.post("/certificates", { commitment: commitmentOf(1) }, polder.apiKey),
    );
    const byStranger = await polder.signed(walletOf(9), good);
    await polder.refuse("not_account_owner", () => polder.post("/certificates", byStranger));
    for (const commitment of ["0", "01", `${FIELD_ORDER}`, 7, null, "0x7", ""]) {
      const signature = `0x${"11".repeat(65)}`;
      const body = { chainId: 31_337, command: command(commitment), signature };
      const facts = await polder.refuse("malformed_request", () => polder.post("/certificates", body));
      expect(facts.path).toBe("command.commitment");
    }
    expect(
      expectAccepted(await polder.post("/certificates", await polder.signed(home, good)), 201).events,
    ).toEqual([{ type: "certificate_committed", account: expect.any(Number), commitment: commitmentOf(1) }]);
    const shown = (await polder.get(`/accounts/${addressOf(home)}`)).json;
    expect(shown).toMatchObject({ certificate: commitmentOf(1), epochBoughtWh: 0 });
  });
});

describe("the tree of an epoch", () => {
  test("rejects: epochs that run, lie ahead or are no numbers", async () => {
    const polder = await closedEpoch();
    for (const epoch of [EPOCH - 1, EPOCH + 1, 9_000_000_000]) {
      const facts = await polder.refuse("epoch_not_found", () => polder.get(`/epochs/${epoch}/certificates`));
      expect(facts).toEqual({ epoch });
    }
    for (const epoch of ["-1", "1.5", "x", "0x5"])
      await polder.refuse("malformed_request", () => polder.get(`/epochs/${epoch}/certificates`));
  });

  test("behavior: root and leaves are those of the sums and commitments at its close, whatever comes later", async () => {
    const polder = await closedEpoch();
    const { region } = polder;
    const path = `/epochs/${EPOCH}/certificates`;
    const expected = certificateTree([
      { commitment: "5", soldWh: 400, boughtWh: 0 },
      { commitment: "6", soldWh: 0, boughtWh: 400 },
    ]);
    await region.accept(commit(address(5), 55));
    await region.accept(commit(addressOf(polder.home), 1));
    // Before this isolate has kept it, and after the region forgot everything but its storage.
    await region.evict();
    const first = await polder.get(path);
    expect(first.json).toEqual({ epoch: EPOCH, ...expected });
    expect(first.headers.get("cache-control")).toContain("immutable");
    expect((await polder.get(path)).text).toBe(first.text);
    expect(await region.stub.certificates(EPOCH)).toHaveLength(2);
    const [epoch] = (await polder.get(`/epochs?from=${EPOCH}&until=${EPOCH + 1}`)).json.epochs;
    expect(epoch).toMatchObject({
      soldWh: { [address(5)]: 400, [address(6)]: 0 },
      boughtWh: { [address(5)]: 0, [address(6)]: 400 },
      certificates: [address(5), address(6)],
    });
  });

  test("invariant: the answer names no account and no commitment", async () => {
    const polder = await closedEpoch();
    const { text, json } = await polder.get(`/epochs/${EPOCH}/certificates`);
    expect(Object.keys(json)).toEqual(["epoch", "root", "leaves"]);
    for (const home of [5, 6]) expect(text).not.toContain(address(home).slice(2));
  });

  test("behavior: an epoch in which nobody had a commitment has the root of the empty tree", async () => {
    const polder = await GatewayUnderTest.furnished();
    goTo(deadlineS(FIRST_SLOT + 4));
    await polder.region.ring();
    const { json } = await polder.get(`/epochs/${EPOCH}/certificates`);
    expect(json).toEqual({ epoch: EPOCH, ...certificateTree([]) });
  });
});
