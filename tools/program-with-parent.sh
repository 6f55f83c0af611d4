#!/bin/sh
# Owns the bond between a program (workerd, anvil) and the process that starts it: one launcher, one state
# folder, one program, and when the launcher dies, however it dies, the program dies too. It refuses a state
# folder that another one still holds. POLDER_PROGRAM names the binary, POLDER_STATE_LOCK the lock file
# (empty: none), POLDER_PID_FILE where the process id is written.

parent=$PPID

# The lock belongs to the open descriptor that the program inherits, so the kernel frees it with the process.
if [ -n "$POLDER_STATE_LOCK" ] && command -v flock >/dev/null 2>&1; then
  exec 9>>"$POLDER_STATE_LOCK"
  if ! flock --nonblock 9; then
    # Miniflare writes the configuration first; unread it would report a broken pipe instead of this line.
    cat >/dev/null
    echo "polder: the state folder is in use by another running stack" >&2
    exit 75
  fi
fi

# exec keeps the process id.
[ -n "$POLDER_PID_FILE" ] && echo "$$" >"$POLDER_PID_FILE"

if command -v setpriv >/dev/null 2>&1; then
  exec setpriv --pdeathsig KILL -- "$POLDER_PROGRAM" "$@"
fi

# Without setpriv (macOS), a watcher looks every second whether both are still there.
self=$$
(
  exec 3>&- 9>&- </dev/null >/dev/null 2>&1
  while kill -0 "$parent" && kill -0 "$self"; do sleep 1; done
  kill -KILL "$self"
) &
exec "$POLDER_PROGRAM" "$@"
