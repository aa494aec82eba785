"""Speaks to `backstory mcp` as a model's host does, with the SDK from PyPI.

client.py COMMAND... < CALLS: starts COMMAND, and makes the calls of a JSON list, each {"tool", "arguments", "pages"}; with "pages"
it follows the cursors to the end. Prints {"server", "instructions", "tools", "calls": [{"texts", "error"}]} as JSON.
"""

import asyncio
import json
import re
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

NEXT = re.compile(r'with the same arguments and cursor "([^"]+)"')


async def call(session, tool, arguments, pages):
    texts, error = [], None
    while True:
        try:
            result = await session.call_tool(tool, arguments)
        except Exception as refused:  # an error of the protocol, not of the tool
            return {"texts": texts, "error": f"protocol: {refused}"}
        data = result.model_dump(mode="json", by_alias=True)
        text = "\n".join(block["text"] for block in data["content"])
        if data.get("isError"):
            return {"texts": texts, "error": text}
        texts.append(text)
        following = NEXT.search(text)
        if not (pages and following):
            return {"texts": texts, "error": error}
        arguments = {**arguments, "cursor": following.group(1)}


async def main(command, calls):
    parameters = StdioServerParameters(command=command[0], args=command[1:])
    async with stdio_client(parameters) as (read, write):
        async with ClientSession(read, write) as session:
            begun = (await session.initialize()).model_dump(mode="json", by_alias=True)
            tools = (await session.list_tools()).model_dump(mode="json", by_alias=True)["tools"]
            made = [await call(session, one["tool"], one["arguments"], one.get("pages", False)) for one in calls]
    return {
        "server": begun["serverInfo"]["name"],
        "instructions": begun.get("instructions"),
        "tools": tools,
        "calls": made,
    }


print(json.dumps(asyncio.run(main(sys.argv[1:], json.load(sys.stdin)))))
