import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { describePortHolder } from '../../src/commands/port-holder.ts';

describe.runIf(process.platform === 'linux')('the holder of a port', () => {
  test.each(['127.0.0.1', '::'])('is named, with its pid: on %s', async (host) => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await describePortHolder(port)).toMatch(new RegExp(`^\\S.* \\(pid ${process.pid}\\)$`));
    server.close();
    await once(server, 'close');
    expect(await describePortHolder(port)).toBeUndefined();
  });
});
