#!/usr/bin/env node
// Nothing is imported before this check: an older Node must get one sentence, not a syntax error.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `jairouter needs Node.js 20.19 or newer; this is ${process.versions.node}. Install a newer Node.js (https://nodejs.org) and run it again.`,
  );
  process.exit(1);
}
const { main } = await import('../dist/cli.js');
await main(process.argv);
