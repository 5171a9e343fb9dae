import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, it } from 'vitest';
import widget from '../../src/widget';
import { makeComparison } from '../comparisons';
import { FakeModel } from './fakeModel';

const CACHE = Symbol.for('ape-jupyter.bokehjs');
const ITEM = { doc: { version: '3.9.2' } };
const ANSWER = { item: ITEM, comparison: makeComparison(), summary: 'run-a 60, run-b 55.' };

// Stands for bokeh.min.js: it registers on `this`, and keeps documents as BokehJS does.
const SOURCE = `
  if (typeof define === 'function' || typeof module === 'object') throw new Error('loader');
  const Bokeh = { version: '3.9.2', documents: [], embed: {} };
  Bokeh.embed.embed_item = async (item, element) => {
    const document = { cleared: false, clear() { this.cleared = true; } };
    Bokeh.documents.push(document);
    element.append('a figure');
    return {
      roots: [{ model: { document } }],
      clear() { element.replaceChildren(); }
    };
  };
  this.Bokeh = Bokeh;
`;

interface Page {
  Bokeh?: unknown;
  [CACHE]?: Map<string, Promise<{ documents: unknown[] }>> | undefined;
}

let model: FakeModel;
let element: HTMLElement;
let dispose: () => void;

beforeEach(() => {
  model = new FakeModel({
    _component: 'ComparisonOverlay',
    sim_ids: ['a', 'b'],
    comparison_type: 'overlay',
    time_alignment: 'relative',
    metric: 'vision',
    reference: null
  });
  element = document.createElement('div');
  document.body.append(element);
  act(() => {
    dispose = widget.render({ model, el: element });
  });
});

afterEach(() => {
  act(() => dispose());
  element.remove();
  (globalThis as Page)[CACHE] = undefined;
  delete document.body.dataset['jpThemeLight'];
});

const asked = (method: string): number =>
  model.sent.filter(message => message.method === method).length;

async function answer(): Promise<void> {
  act(() => model.reply('compare', ANSWER));
  await waitFor(() => expect(asked('bokehjs')).toBe(1));
  const bytes = new TextEncoder().encode(SOURCE);
  act(() => model.reply('bokehjs', { version: '3.9.2' }, [new DataView(bytes.buffer)]));
  await screen.findByText('a figure');
}

it('draws the figure in a BokehJS of its own, with its summary', async () => {
  await answer();
  expect((globalThis as Page).Bokeh).toBeUndefined();
  expect(screen.getByRole('figure', { name: ANSWER.summary })).toBeTruthy();
  expect(screen.getByText(ANSWER.summary)).toBeTruthy();
});

it('asks again when a choice is made, and writes the trait back', async () => {
  await answer();
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'Show' }), 'Difference');
  expect(model.get('comparison_type')).toBe('difference');
  expect(model.saves).toBe(1);
  expect(model.sent.at(-1)).toMatchObject({
    method: 'compare',
    params: { comparison_type: 'difference' }
  });
  const reference = screen.getByRole('combobox', { name: 'Reference' });
  expect(within(reference).getByRole('option', { name: 'run-b' })).toBeTruthy();
});

it('asks again when the kernel changes a trait, and loads BokehJS only once', async () => {
  await answer();
  act(() => model.set('time_alignment', 'absolute'));
  expect(model.sent.at(-1)?.params['time_alignment']).toBe('absolute');
  act(() => model.reply('compare', { ...ANSWER, item: { ...ITEM } }));
  await screen.findByText('a figure');
  const bokeh = await (globalThis as Page)[CACHE]!.get('3.9.2')!;
  await waitFor(() => expect(bokeh.documents).toHaveLength(1));
  expect(asked('bokehjs')).toBe(1);
});

it('follows the theme of the page', async () => {
  expect(model.sent[0]?.params['theme']).toBe('light');
  document.body.dataset['jpThemeLight'] = 'false';
  await waitFor(() => expect(model.sent.at(-1)?.params['theme']).toBe('dark'));
});

it('shows the numbers as a table on demand', async () => {
  await answer();
  await userEvent.click(screen.getByText('Show the numbers as a table'));
  const details = screen.getByText('Show the numbers as a table').closest('details')!;
  details.open = true;
  act(() => void details.dispatchEvent(new Event('toggle')));
  const table = await screen.findByRole('table');
  expect(within(table).getByRole('columnheader', { name: 'run-b' })).toBeTruthy();
  expect(within(table).getByText('60.0 (59.0 to 61.0)')).toBeTruthy();
});

it('says what went wrong in the kernel, and tries again', async () => {
  act(() =>
    model.fail('compare', { error: 'SimulationNotFoundError', message: 'gone', details: {} })
  );
  expect((await screen.findByRole('alert')).textContent).toMatch(/not in the library/);
  await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
  await answer();
  expect(screen.queryByRole('alert')).toBeNull();
});

it('leaves nothing behind when the output is cleared', async () => {
  await answer();
  const bokeh = await (globalThis as Page)[CACHE]!.get('3.9.2')!;
  act(() => dispose());
  expect(bokeh.documents).toHaveLength(0);
  expect(model.listenerCount).toBe(0);
  expect(element.childElementCount).toBe(0);
});

it('says so when the kernel names a component that it does not have', async () => {
  const other = document.createElement('div');
  const unknown = new FakeModel({ _component: 'Nonesuch' });
  let end!: () => void;
  act(() => {
    end = widget.render({ model: unknown, el: other });
  });
  expect(other.textContent).toContain('not known: Nonesuch');
  act(() => end());
});
