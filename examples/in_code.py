"""The same agent with a few lines more: who asked, in which conversation, and what it cost."""

from __future__ import annotations

import support_agent

import spanledger

spanledger.configure(agent="support", agent_version="1.4.0", tools=["support_tools:*"])


def main() -> int:
    with spanledger.run("support", user_id="customer-1042", session_id="ticket-8812") as run:
        support_agent.main()
    print(f"{run.stop_reason}: {run.steps} steps, {run.usage.total} tokens, ${run.cost}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
