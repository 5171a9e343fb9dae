import { LabIcon } from '@jupyterlab/ui-components';

/** An eye whose pupil is a chart. */
export const apeIcon = new LabIcon({
  name: 'ape-jupyter:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M12 4.500C7 4.500 2.700 7.600 1 12c1.700 4.400 6 7.500 11 7.500s9.300-3.100 11-7.500c-1.700-4.400-6-7.500-11-7.500m0 13c-3.800 0-7.200-2.100-8.800-5.500C4.800 8.600 8.200 6.500 12 6.500s7.200 2.100 8.800 5.500c-1.600 3.400-5 5.500-8.800 5.500"/>
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M7.500 11.500h2.200V15H7.500zM10.900 8.500h2.200V15h-2.200zM14.300 10h2.200v5h-2.200z"/>
</svg>`
});
