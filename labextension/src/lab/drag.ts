import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';

// The notebook takes whole cells, the editors plain text.
const CELLS_MIME = 'application/vnd.jupyter.cells';

/** Let the user drop code into a notebook or an editor. */
export function dragCode(code: string, label: string, clientX: number, clientY: number): Drag {
  const mimeData = new MimeData();
  mimeData.setData(CELLS_MIME, [
    { cell_type: 'code', source: code, metadata: {}, outputs: [], execution_count: null }
  ]);
  mimeData.setData('text/plain', code);

  const dragImage = document.createElement('div');
  dragImage.className = 'jp-ape-DragImage';
  dragImage.textContent = label;

  const drag = new Drag({
    mimeData,
    dragImage,
    proposedAction: 'copy',
    supportedActions: 'copy'
  });
  void drag.start(clientX, clientY).then(() => drag.dispose());
  return drag;
}
