// Owns the files that have a system run a provider's node: a unit for systemd and a property list for launchd. It refuses texts
// that would end a line or a quotation of theirs.

/** What a service runs. */
export interface Service {
  /** Absolute paths and arguments, the program first. */
  readonly command: readonly string[];
  readonly workingFolder: string;
}

export type ServiceForm = "systemd" | "launchd";

/** @throws RangeError for control characters */
export function serviceFile(form: ServiceForm, service: Service): string {
  for (const text of [...service.command, service.workingFolder])
    if (/\p{Cc}/u.test(text)) throw new RangeError("a service's command holds no control characters");
  return form === "systemd" ? unitOf(service) : listOf(service);
}

/** systemd.service(5): percent and dollar signs are doubled, quotes and backslashes escaped. */
function unitOf({ command, workingFolder }: Service): string {
  const quoted = command.map(
    (text) => `"${text.replaceAll(/["\\]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")}"`,
  );
  return `[Unit]
Description=Polder provider node
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${quoted.join(" ")}
WorkingDirectory=${workingFolder.replaceAll("%", "%%")}
Restart=on-failure
RestartSec=5
KillSignal=SIGTERM
TimeoutStopSec=30
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
ReadWritePaths=${workingFolder.replaceAll("%", "%%").replaceAll(" ", "\\x20")}

[Install]
WantedBy=default.target
`;
}

function listOf({ command, workingFolder }: Service): string {
  const escaped = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const words = command.map((text) => `    <string>${escaped(text)}</string>`).join("\n");
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>polder.provider</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
  <key>WorkingDirectory</key>
  <string>${escaped(workingFolder)}</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
</dict>
</plist>
`;
}
