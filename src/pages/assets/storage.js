/** The page of what a repository stores: what the ticked tags would free, and the lines that delete them. */
import { deletionLines, freedBytes, freedSentence } from './deletion.js'

const list = document.querySelector('[data-groups]')
if (list !== null) {
  const groups = JSON.parse(list.dataset.groups)
  const boxes = [...list.querySelectorAll('input[data-digest]')]
  list.addEventListener('change', () => show(groups, boxes))
  // A browser that goes back ticks again what was ticked.
  show(groups, boxes)
}

function show(groups, boxes) {
  const tags = boxes.map(({ value, dataset, checked }) => ({
    name: value,
    digest: dataset.digest,
    goes: checked,
  }))
  const going = new Set(boxes.filter(({ checked }) => checked).map(({ dataset }) => Number(dataset.place)))
  document.querySelector('[data-freed]').textContent = freedSentence(going.size, freedBytes(groups, going))
  for (const lines of document.querySelectorAll('pre[data-tool]')) {
    lines.textContent = deletionLines(lines.dataset.tool, list.dataset.repository, tags)
    lines.closest('details').hidden = going.size === 0
  }
}
