import { describe, expect, test } from 'vitest';
import { fakeBackend } from './support/fake-backend.ts';
import { oneInstance, startGateway } from './support/gateway.ts';

async function root(accept: string | undefined, config: object = {}): Promise<Response> {
  const { url: backend } = await fakeBackend(undefined, { models: ['m', '<b>"bold"</b>'] });
  const { url } = await startGateway(oneInstance(backend, config));
  return fetch(`${url}/`, { headers: accept === undefined ? {} : { accept } });
}

const BROWSER = 'text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8';

describe('GET /', () => {
  test('is a page for people, that needs nothing from elsewhere', async () => {
    const response = await root(BROWSER);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await response.text();
    expect(page).toContain(`<code>${new URL(response.url).origin}/v1</code>`);
    expect(page).toContain('<td>a<td class="good">healthy');
    expect(page).toContain('<code>m</code>');
    expect(page).not.toMatch(/<script|(?:src|href)="(?:https?:)?\/\//);
  });

  test('has nothing in it that a backend could have written into it', async () => {
    const page = await (await root(BROWSER)).text();
    expect(page).not.toContain('<b>');
    expect(page).toContain('&#60;b&#62;&#34;bold&#34;&#60;/b&#62;');
  });

  test('is JSON for programs that want it', async () => {
    const response = await root('application/json');
    const { origin } = new URL(response.url);
    expect(await response.json()).toMatchObject({
      name: 'jairouter',
      openai: `${origin}/v1`,
      anthropic: origin,
      instances: { a: 'healthy' },
      models: ['m', '<b>"bold"</b>'],
    });
  });

  test('names no models to those who have no key, where one is needed', async () => {
    const config = { server: { apiKeys: [{ name: 'me', key: 'sk' }] } };
    expect(await (await root('application/json', config)).json()).toMatchObject({ models: null });
    expect(await (await root(BROWSER, config)).text()).toContain('for those who have a key');
  });

  test('is the line that clients of Ollama look for, to all others', async () => {
    const { url: backend } = await fakeBackend();
    const { url } = await startGateway(oneInstance(backend));
    expect(await (await fetch(`${url}/`)).text()).toBe('Ollama is running');
    const head = await fetch(`${url}/`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('is refused to web pages of others, as everything is', async () => {
    const { url: backend } = await fakeBackend();
    const { url } = await startGateway(oneInstance(backend));
    const answer = await fetch(`${url}/`, { headers: { origin: 'http://evil.example' } });
    expect(answer.status).toBe(403);
  });
});
