// Owns what the page's address asks for: region, household, and the home to read own use from. It refuses a home that is
// not on this machine, so that a link cannot make the page show or fetch somebody else's figures.

import type { Hex } from "../protocol/fields.ts";

/** What the address asks for; anything malformed is left out. */
export interface PageAddress {
  readonly region: string | null;
  readonly account: Hex | null;
  /** Origin of the home's own agent, without a closing slash. */
  readonly home: string | null;
  /** Why a home that was asked for is not used; null when there is nothing to say. */
  readonly homeRefusal: string | null;
}

/** The content security policy of index.html names the same hosts. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "localhost"]);

/** Reads the part of the address after the question mark. */
export function readAddress(search: string): PageAddress {
  const query = new URLSearchParams(search);
  const region = query.get("region") ?? "";
  const home = readHome(query.get("home"));
  return {
    region: /^[a-z][a-z0-9-]{1,31}$/.test(region) ? region : null,
    account: readAccount(query.get("account") ?? ""),
    home: typeof home === "string" ? home : null,
    homeRefusal: home !== null && typeof home !== "string" ? home.refusal : null,
  };
}

/** An account address in lower case, or null. */
export function readAccount(text: string): Hex | null {
  const trimmed = text.trim().toLowerCase();
  return /^0x[0-9a-f]{40}$/.test(trimmed) ? (trimmed as Hex) : null;
}

function readHome(text: string | null): string | { readonly refusal: string } | null {
  if (text === null || text === "") return null;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { refusal: "The home in this page\u2019s address is not an address." };
  }
  if (
    url.protocol !== "http:" ||
    !LOOPBACK_HOSTS.has(url.hostname) ||
    url.username !== "" ||
    url.password !== ""
  ) {
    return { refusal: "The home in this page\u2019s address is not on this computer, so it is not used." };
  }
  return url.origin;
}
