import { describe, expect, it } from 'vitest';
import { anthropic } from '../../src/adapters/anthropic.ts';
import { scene } from './exchange.ts';
import { serve, serveWire } from './server.ts';

describe('the models of Anthropic', () => {
  it('are all for chat', async () => {
    const { backend } = await serveWire('anthropic');
    expect(await anthropic.probe(backend)).toEqual({
      state: 'healthy',
      models: [
        {
          id: 'claude-sonnet-4-5-20250929',
          aliases: ['claude-sonnet-4-5'],
          services: ['chat'],
          created: 1759104000,
          ownedBy: 'anthropic',
        },
      ],
    });
  });

  it('come in pages', async () => {
    const page = (id: string, more: boolean) => ({
      body: { data: [{ type: 'model', id }], has_more: more, first_id: id, last_id: id },
    });
    const { backend, asked } = await serve({
      'GET /v1/models?limit=1000': page('a', true),
      'GET /v1/models?limit=1000&after_id=a': page('b', false),
    });
    expect((await anthropic.probe(backend)).models?.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(asked).toHaveLength(2);
  });

  it.each([429, 529])('are left as they are when it is too busy to tell (%i)', async (status) => {
    const { backend } = await serve({ 'GET /v1/models?limit=1000': { status, body: {} } });
    expect(await anthropic.probe(backend)).toEqual({ state: 'healthy' });
  });
});

it('shows its key in the header of its own, with the version', async () => {
  const here = await scene('anthropic', { 'POST *': { body: { choices: [] } } }, { apiKey: 'sk' });
  for (const { headers } of here.asked) {
    expect(headers).toMatchObject({ 'x-api-key': 'sk', 'anthropic-version': '2023-06-01' });
    expect(headers.authorization).toBeUndefined();
  }
});
