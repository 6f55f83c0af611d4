// Owns the entry of the part measurements: digest, signatures and proofs on the runtime that the gateway has, and 64 commands
// at once against 64 inserted rows. It refuses to be deployed: nothing here is checked.

import { DurableObject } from "cloudflare:workers";
import { ed25519 } from "@noble/curves/ed25519.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { hashTypedData, recoverAddress } from "viem";
import { Groth16Verifier } from "../evidence/groth16.ts";
import { readGroth16Key } from "../evidence/groth16-key.ts";
import { verifySession } from "../evidence/session-signature.ts";
import { recoverWallet } from "../evidence/wallet-signature.ts";
import { commandDigest, typedDataOf } from "../protocol/typed-data.ts";

export { Feed } from "../durable-objects/feed.ts";
export { Intake } from "../durable-objects/intake.ts";
export { Region } from "../durable-objects/region.ts";

/** Stands where the directory is, and inserts one row a call, as the peer of the whole path does. */
export class Directory extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  }

  insert(body) {
    return this.ctx.storage.sql.exec("INSERT INTO calls (body) VALUES (?) RETURNING id", body).one().id;
  }
}

/** A deployment reads its key once. */
let readKey;
const keyOf = (key, use) => {
  readKey ??= readGroth16Key(key, use);
  return readKey;
};

const bytes = (hex) => hexToBytes(hex.slice(2));

/** Each does one thing for every item it is given; a false answer stops the measurement. */
const PARTS = {
  "typed-data/ours": async ({ domain, items }) => {
    for (const command of items) commandDigest(domain, command);
    return true;
  },
  "typed-data/peer": async ({ domain, items }) => {
    for (const command of items) hashTypedData(typedDataOf(domain, command));
    return true;
  },
  "session/ours": async ({ items }) => {
    for (const { key, digest, signature } of items) {
      if (!(await verifySession(key, digest, signature)).ok) return false;
    }
    return true;
  },
  "session/peer": async ({ items }) =>
    items.every(({ key, digest, signature }) =>
      ed25519.verify(bytes(signature), bytes(digest), bytes(key), { zip215: false }),
    ),
  "wallet/ours": async ({ items }) =>
    items.every(({ digest, signature, wallet }) => recoverWallet(digest, signature).wallet === wallet),
  "wallet/peer": async ({ items }) => {
    for (const { digest, signature, wallet } of items) {
      if ((await recoverAddress({ hash: digest, signature })).toLowerCase() !== wallet) return false;
    }
    return true;
  },
  "proofs/single": ({ key, use, items }) =>
    // A verifier of its own for each, so that none is remembered.
    items.every((item) => new Groth16Verifier(keyOf(key, use)).verify(item).ok),
  "proofs/batch": ({ key, use, items }) =>
    new Groth16Verifier(keyOf(key, use)).verifyBatch(items).every(({ ok }) => ok),
  "flush/ours": ({ batches }, env) => {
    const region = env.REGION.getByName("measured");
    return everyBatch(batches, async (submission) => "answer" in (await region.submit(submission)));
  },
  "flush/peer": ({ batches }, env) => {
    const peer = env.DIRECTORY.getByName("peer");
    return everyBatch(batches, async (submission) => (await peer.insert(JSON.stringify(submission))) > 0);
  },
};

async function everyBatch(batches, submit) {
  for (const batch of batches) {
    if (!(await Promise.all(batch.map(submit))).every(Boolean)) return false;
  }
  return true;
}

export default {
  async fetch(request, env) {
    const part = PARTS[new URL(request.url).pathname.slice("/v1/".length)];
    return Response.json(await part(await request.json(), env));
  },
};
