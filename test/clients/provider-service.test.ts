// Owns the promises of what a provider reads before it joins: the files of a service say exactly what is run, and a machine's rate is
// measured and not guessed.

import { describe, expect, test } from "vitest";
import { bestOf, dailyMicros, measureFuelRate } from "../../clients/provider/fuel-rate.ts";
import { serviceFile } from "../../clients/provider/service-files.ts";

const service = { command: ["/usr/bin/node", "/opt/a b/main.ts", '100%"$x'], workingFolder: "/home/me" };

describe("a provider's service", () => {
  test("rejects: words that would end a line", () => {
    const bad = { ...service, command: ["/usr/bin/node", "x\nExecStart=/bin/sh"] };
    for (const form of ["systemd", "launchd"] as const)
      expect(() => serviceFile(form, bad)).toThrow(RangeError);
  });

  test("behavior: what each system would read otherwise is quoted", () => {
    expect(serviceFile("systemd", service)).toContain(
      'ExecStart="/usr/bin/node" "/opt/a b/main.ts" "100%%\\"$$x"\n',
    );
    const words = { ...service, command: ["/usr/bin/node", "<a&b>"] };
    expect(serviceFile("launchd", words)).toContain("<string>&lt;a&amp;b&gt;</string>");
  });
});

describe("an estimate", () => {
  test("behavior: a machine's rate is above nothing, and a day of it is rate, seconds and price", async () => {
    const rate = await measureFuelRate(1);
    expect(rate.megaPerSecond).toBeGreaterThan(100);
    expect(dailyMicros({ threads: 1, megaPerSecond: 10_000 }, 200_000)).toBe(172_800_000);
    expect(bestOf({ asks: [], bids: [] })).toEqual({ ask: null, bid: null });
  });
});
