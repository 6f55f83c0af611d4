// Owns the rules of the page's address: which homes it may be pointed at.

import { describe, expect, test } from "vitest";
import { readAccount, readAddress } from "../../web/page-address.ts";

const ACCOUNT = `0x${"Ab".repeat(20)}`;

describe("page address", () => {
  test.each([
    "https://127.0.0.1:8080",
    "http://example.org",
    "http://127.0.0.1.example.org",
    "http://127.0.0.1@example.org",
    "http://user@127.0.0.1:1",
    "http://10.0.0.1",
    "//127.0.0.1",
    "javascript:alert(1)",
    "home",
  ])("rejects: the home %s", (home) => {
    const { home: used, homeRefusal } = readAddress(`?home=${encodeURIComponent(home)}`);
    expect(used).toBeNull();
    expect(homeRefusal).toMatch(/address/);
  });

  test("rejects: names and accounts that are none", () => {
    expect(readAddress("?region=../x&account=0x12")).toEqual({
      region: null,
      account: null,
      home: null,
      homeRefusal: null,
    });
    expect(readAccount(`${ACCOUNT}0`)).toBeNull();
  });

  test("behavior: a home on this machine is used, without what follows its port", () => {
    const address = readAddress(
      `?region=polder-one&account=${ACCOUNT}&home=http%3A%2F%2F127.0.0.1%3A4100%2Fx`,
    );
    expect(address).toEqual({
      region: "polder-one",
      account: ACCOUNT.toLowerCase(),
      home: "http://127.0.0.1:4100",
      homeRefusal: null,
    });
    expect(readAddress("?home=http://localhost:4100").home).toBe("http://localhost:4100");
  });
});
