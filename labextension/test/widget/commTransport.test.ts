import { beforeEach, expect, it, vi } from 'vitest';
import type { CompareRequest } from '../../src/core';
import { CommTransport } from '../../src/widget/commTransport';
import { FakeModel } from './fakeModel';

const REQUEST: CompareRequest = {
  sim_ids: ['a', 'b'],
  comparison_type: 'overlay',
  time_alignment: 'relative',
  reference: null,
  metric: 'vision',
  theme: 'light'
};

let model: FakeModel;
let transport: CommTransport;

beforeEach(() => {
  model = new FakeModel();
  transport = new CommTransport(model, 1000);
});

it('brings each answer to its own question', async () => {
  const first = transport.compare(REQUEST);
  const second = transport.compare({ ...REQUEST, theme: 'dark' });
  const [one, two] = model.sent;
  expect(one).toMatchObject({ method: 'compare', params: REQUEST });
  expect(one!.id).not.toBe(two!.id);
  model.emit('msg:custom', { id: two!.id, ok: true, result: { summary: 'dark' } }, []);
  model.emit('msg:custom', { id: one!.id, ok: true, result: { summary: 'light' } }, []);
  expect((await first).summary).toBe('light');
  expect((await second).summary).toBe('dark');
  expect(transport.pendingCount).toBe(0);
});

it('turns errors of the kernel into problems', async () => {
  const answer = transport.compare(REQUEST);
  model.fail('compare', { error: 'InvalidArgumentError', message: 'Two runs at least.' });
  await expect(answer).rejects.toMatchObject({ kind: 'invalid', message: 'Two runs at least.' });
});

it('rejects at once when the answer is no longer wanted', async () => {
  const controller = new AbortController();
  const answer = transport.compare(REQUEST, controller.signal);
  controller.abort();
  await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  expect(transport.pendingCount).toBe(0);
  // The late answer finds nobody, and does no harm.
  model.reply('compare', {});
});

it('loses its patience with a kernel that is gone', async () => {
  vi.useFakeTimers();
  const answer = expect(transport.compare(REQUEST)).rejects.toMatchObject({ kind: 'no-answer' });
  await vi.advanceTimersByTimeAsync(1000);
  await answer;
});

it('reads BokehJS from the buffer', async () => {
  const answer = transport.bokehjs();
  const bytes = new TextEncoder().encode('source');
  model.reply('bokehjs', { version: '3.9.2' }, [new DataView(bytes.buffer)]);
  expect(await answer).toEqual({ version: '3.9.2', source: 'source' });
});

it('ignores messages that are not for it', () => {
  model.emit('msg:custom', 'anything', []);
  model.emit('msg:custom', { id: 1, ok: true }, []);
});

it('ends everything when disposed', async () => {
  const answer = transport.compare(REQUEST);
  transport.dispose();
  await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  expect(model.listenerCount).toBe(0);
  expect(transport.pendingCount).toBe(0);
});
