// SPDX-License-Identifier: GPL-3.0-only
// Owns the making of a household's secrets. It refuses to derive one: whoever could guess a signature or a password behind
// it could tell which meter claimed what.

import { bigOf } from "../evidence/bytes.ts";

/** 248 bits, all of them below the field's order. */
const SECRET_BYTES = 31;

/** A new random secret for one meter, or for certificates; never the same for both. Only its commitment is shown. */
export function drawSecret(): bigint {
  return bigOf(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}
