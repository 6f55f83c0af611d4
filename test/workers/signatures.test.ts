// Owns the promise that the shared vectors are judged inside workerd as everywhere else.

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { signSession } from "../../evidence/session-signature.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { commandDigest } from "../../protocol/typed-data.ts";
import { OPENED_AT_S, useMarketTime } from "../durable-objects/region-under-test.ts";
import { DOMAIN, word } from "../support/market.ts";
import vectors from "../vectors/signatures.json" with { type: "json" };
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  type SignedBody,
  walletOf,
} from "./gateway-under-test.ts";

useMarketTime();

let polder: GatewayUnderTest;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: OPENED_AT_S * 1000 });
  polder = await GatewayUnderTest.furnished();
});

const order = (more = {}) => polder.command("place_order", polder.orderFields(more));

/** Changes one byte of a signature. */
function withByte(signature: Hex, index: number, value: number): Hex {
  return `${signature.slice(0, 2 + 2 * index)}${value.toString(16).padStart(2, "0")}${signature.slice(4 + 2 * index)}` as Hex;
}

/** The twin of a wallet's signature with s in the upper half and the other recovery byte, which recovers the same wallet. */
function highTwin(signature: Hex): Hex {
  const s = secp256k1.Point.CURVE().n - BigInt(`0x${signature.slice(66, 130)}`);
  const v = Number.parseInt(signature.slice(130), 16) === 27 ? "1c" : "1b";
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, "0")}${v}` as Hex;
}

describe("a wallet's signature", () => {
  const MANGLED: Record<string, [(signature: Hex) => Hex, ErrorCode]> = {
    "of no bytes": [() => "0x", "signature_malformed"],
    "a byte short": [(signature) => signature.slice(0, -2) as Hex, "signature_malformed"],
    "a byte too long": [(signature) => `${signature}00`, "signature_malformed"],
    "of 64 bytes (EIP-2098)": [(signature) => signature.slice(0, 130) as Hex, "signature_malformed"],
    "with v = 0": [(signature) => withByte(signature, 64, 0), "signature_malformed"],
    "with v = 1": [(signature) => withByte(signature, 64, 1), "signature_malformed"],
    "with v of EIP-155": [(signature) => withByte(signature, 64, 37), "signature_malformed"],
    "with high s": [highTwin, "signature_high_s"],
    "with r = 0": [(signature) => `0x${"00".repeat(32)}${signature.slice(66)}`, "signature_malformed"],
    "with s = 0": [
      (signature) => `${signature.slice(0, 66)}${"00".repeat(32)}${signature.slice(130)}` as Hex,
      "signature_malformed",
    ],
    "whose r is no point's x": [
      (signature) => `0x${"00".repeat(31)}05${signature.slice(66)}`,
      "signature_invalid",
    ],
  };
  for (const [what, [mangle, code]] of Object.entries(MANGLED)) {
    test(`rejects: one ${what}, with ${code}`, async () => {
      const body = await polder.signed(polder.home, order());
      await polder.refuse(code, () => polder.post("/orders", { ...body, signature: mangle(body.signature) }));
      expectAccepted(await polder.post("/orders", body), 201);
    });
  }

  test("rejects: one that is not hex or without end, with malformed_request", async () => {
    const body = await polder.signed(polder.home, order());
    for (const signature of ["", "0xzz", 5, null, `0x${"00".repeat(5_000)}`]) {
      await polder.refuse("malformed_request", () => polder.post("/orders", { ...body, signature }));
    }
  });

  test("rejects: one of another wallet, and one over another command, with not_account_owner", async () => {
    await polder.refuse("not_account_owner", async () =>
      polder.post("/orders", await polder.signed(walletOf(2), order())),
    );
    const { signature } = await polder.signed(polder.home, order());
    const forged = { chainId: 31_337, command: order(), signature };
    await polder.refuse("not_account_owner", () => polder.post("/orders", forged));
  });

  test("rejects: one made for another deployment's contract or chain, however the body calls it", async () => {
    const { typedDataOf } = await import("../../protocol/typed-data.ts");
    const command = order();
    for (const domain of [
      { ...DOMAIN, chainId: 1 },
      { ...DOMAIN, settlement: `0x${"77".repeat(20)}` as Hex },
    ]) {
      const signature = await polder.home.signTypedData(typedDataOf(domain, command) as never);
      await polder.refuse("not_account_owner", () =>
        polder.post("/orders", { chainId: 31_337, command, signature }),
      );
    }
  });
});

describe("a session key's signature", () => {
  const of = (more: Partial<SignedBody>): SignedBody => ({
    ...polder.bySession(polder.sessionSeed, order()),
    ...more,
  });

  for (const { name, key, signature, verdict } of vectors.session.filter(({ verdict: { ok } }) => !ok)) {
    test(`rejects: the vector "${name}", with ${verdict.code}`, async () => {
      const body = of({ sessionKey: key as Hex, signature: signature as Hex });
      // A key of another length does not pass the decoder.
      const code = key.length === 66 ? (verdict.code as ErrorCode) : "malformed_request";
      await polder.refuse(code, () => polder.post("/orders", body));
    });
  }

  test("rejects: one over another command, with signature_invalid", async () => {
    await polder.refuse("signature_invalid", () => polder.post("/orders", of({ command: order() })));
  });

  test("rejects: one of a key that nobody authorised, with session_unknown", async () => {
    await polder.refuse("session_unknown", () =>
      polder.post("/orders", polder.bySession(word(404), order())),
    );
  });

  test("rejects: one where a wallet's should be, and the reverse, with signature_malformed", async () => {
    const bySession = polder.bySession(polder.sessionSeed, order());
    const { sessionKey: _key, ...bare } = bySession;
    await polder.refuse("signature_malformed", () => polder.post("/orders", bare));
    const byWallet = await polder.signed(polder.home, order());
    await polder.refuse("signature_malformed", () =>
      polder.post("/orders", { ...byWallet, sessionKey: bySession.sessionKey }),
    );
  });
});

describe("what a signature is bound to", () => {
  test("rejects: another chain id, with wrong_chain", async () => {
    const body = await polder.signed(polder.home, order());
    const facts = await polder.refuse("wrong_chain", () => polder.post("/orders", { ...body, chainId: 1 }));
    expect(facts).toEqual({ expected: 31_337, got: 1 });
  });

  test("rejects: another region than the path's, with wrong_region", async () => {
    const other = await GatewayUnderTest.furnished();
    const body = await polder.signed(polder.home, order());
    await other.refuse("wrong_region", () => other.post("/orders", body));
    await polder.refuse("wrong_region", () =>
      polder.post("/orders", { ...body, command: { ...body.command, region: other.name } }),
    );
  });

  test("rejects: a command that has expired, or would live too long", async () => {
    const at = (expiresAtS: number) =>
      polder.signed(polder.home, polder.command("place_order", { ...polder.orderFields(), expiresAtS }));
    const expired = [await at(OPENED_AT_S), await at(0)];
    for (const body of expired) await polder.refuse("command_expired", () => polder.post("/orders", body));
    const late = await at(OPENED_AT_S + 48 * 3_600 + 1);
    await polder.refuse("command_expires_too_late", () => polder.post("/orders", late));
    expectAccepted(await polder.post("/orders", await at(OPENED_AT_S + 48 * 3_600)), 201);
  });

  test("behavior: the same command again is the same answer and one entry, in whatever letters its hex is written", async () => {
    const body = await polder.signed(polder.home, order());
    const first = expectAccepted(await polder.post("/orders", body), 201);
    const before = await polder.region.stateHash();
    const shouted = {
      ...body,
      command: { ...body.command, account: polder.home.address },
      signature: `0x${body.signature.slice(2).toUpperCase()}`,
    };
    for (const again of [body, shouted])
      expect(expectAccepted(await polder.post("/orders", again), 201)).toEqual(first);
    expect(expectAccepted(await polder.post("/commands", body), 200)).toEqual(first);
    expect(await polder.region.stateHash()).toEqual(before);
  });

  test("behavior: a session key's own command sent again by its wallet is the same command", async () => {
    const command = order();
    const first = expectAccepted(
      await polder.post("/orders", polder.bySession(polder.sessionSeed, command)),
      201,
    );
    expect(
      expectAccepted(await polder.post("/orders", await polder.signed(polder.home, command)), 201),
    ).toEqual(first);
    expect(addressOf(polder.home)).toBe(polder.account);
    expect(signSession(polder.sessionSeed, commandDigest(DOMAIN, command))).toHaveLength(130);
  });
});

describe("an API key", () => {
  const plain = () => ({ side: "sell", steps: [{ limitPriceMicrosPerKwh: 100_000, capWhPerSlot: 5 }] });

  test("rejects: nothing at all, with authentication_missing", async () => {
    await polder.refuse("authentication_missing", () => polder.post("/orders", plain()));
  });

  test("rejects: every other spelling, with api_key_malformed", async () => {
    const good = polder.apiKey.authorization;
    const seed = good.slice(-64);
    for (const authorization of [
      "Bearer",
      "Bearer polder_",
      `Basic ${btoa("polder:secret")}`,
      good.slice(0, -1),
      `${good}0`,
      good.replace(seed, seed.toUpperCase().replace(/^5E/, "5G")),
      good.replace("polder_", "POLDER_"),
      good.replace("polder_", "polder_0x"),
    ]) {
      await polder.refuse("api_key_malformed", () => polder.post("/orders", plain(), { authorization }));
    }
  });

  test("rejects: a well-formed key that nobody authorised, or that is another account's", async () => {
    const unknown = `Bearer polder_${polder.account.slice(2)}${word(99).slice(2)}`;
    await polder.refuse("session_unknown", () => polder.post("/orders", plain(), { authorization: unknown }));
    const foreign = polder.apiKey.authorization.replace(
      polder.account.slice(2),
      addressOf(walletOf(77)).slice(2),
    );
    await polder.refuse("account_unknown", () => polder.post("/orders", plain(), { authorization: foreign }));
  });

  test("behavior: a signed body counts by its own signature, whatever key comes with it", async () => {
    const body = await polder.signed(polder.home, order());
    expectAccepted(await polder.post("/orders", body, { authorization: "Bearer nonsense" }), 201);
  });
});
