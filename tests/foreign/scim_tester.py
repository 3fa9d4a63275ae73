"""Runs every check of scim2-tester, a conformance client that is not ours, against the service at a URL.

    ROSTERD_TOKEN=… python scim_tester.py http://127.0.0.1:8480/scim/v2

One line a check that does not succeed, skipped ones included, then the counts. It ends with 1 unless all succeed.
"""

import os
import sys
from collections import Counter

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status
from scim2_tester import check_server

headers = {"Authorization": f"Bearer {os.environ['ROSTERD_TOKEN']}"}
# Loopback is reached without a proxy, whatever the environment names.
with Client(base_url=sys.argv[1], headers=headers, trust_env=False) as client:
    results = check_server(SyncSCIMClient(client))

for result in results:
    if result.status is not Status.SUCCESS:
        print(f"{result.status.name} {result.title} {result.resource_type or ''}: {result.reason}")
print(", ".join(f"{count} {name.lower()}" for name, count in sorted(Counter(r.status.name for r in results).items())))
sys.exit(any(result.status is not Status.SUCCESS for result in results))
