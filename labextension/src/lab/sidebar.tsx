import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import type { ReactElement } from 'react';
import { LibraryPanel, type Host, type LibraryStore, type Trans } from '../core';
import { apeIcon } from './icons';

/** The side panel with the simulation library. */
export class LibrarySidebar extends ReactWidget {
  readonly #store: LibraryStore;
  readonly #host: Host;
  readonly #trans: Trans;
  readonly #revealedAgain = new Signal<this, void>(this);

  constructor(store: LibraryStore, host: Host, trans: Trans) {
    super();
    this.#store = store;
    this.#host = host;
    this.#trans = trans;
    this.id = 'ape-jupyter-library';
    this.addClass('jp-ape-Sidebar');
    this.title.icon = apeIcon;
    this.title.caption = trans.__('Simulation runs');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Simulation runs'));
  }

  /** Emitted whenever the panel comes to view. */
  get revealedAgain(): ISignal<this, void> {
    return this.#revealedAgain;
  }

  focusSearch(): void {
    this.node.querySelector<HTMLInputElement>('.jp-ape-SearchBox input')?.focus();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.#revealedAgain.emit();
  }

  protected override render(): ReactElement {
    return <LibraryPanel store={this.#store} host={this.#host} trans={this.#trans} />;
  }
}
