/** The first page: what was looked at lately, and archives that are dropped on it. */

const KEY = 'lamina.looked'

list()
const form = document.querySelector('[data-drop]')
if (form !== null) takeDrops()

/** @returns what `lamina.js` noted, newest first; nothing where the browser keeps nothing */
function looked() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(kept)
      ? kept.filter(({ href }) => typeof href === 'string' && href.startsWith('/'))
      : []
  } catch {
    return []
  }
}

function list() {
  const section = document.getElementById('looked')
  const items = looked()
  if (section === null || items.length === 0) return
  section.hidden = false
  section.querySelector('ul').replaceChildren(
    ...items.map(({ title, place, href }) => {
      const link = document.createElement('a')
      link.href = href
      link.textContent = title
      const where = document.createElement('span')
      where.className = 'quiet'
      where.textContent = place
      const item = document.createElement('li')
      item.append(link, ' ', where)
      return item
    }),
  )
  section.querySelector('button').addEventListener('click', () => {
    localStorage.removeItem(KEY)
    section.hidden = true
  })
}

function takeDrops() {
  const input = form.querySelector('input')
  input.addEventListener('change', () => input.files[0] && upload(input.files[0]))
  for (const type of ['dragenter', 'dragover']) {
    addEventListener(type, (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes('Files')) return
      event.preventDefault()
      form.classList.add('over')
    })
  }
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) form.classList.remove('over')
  })
  addEventListener('drop', (event) => {
    const file = event.dataTransfer?.files[0]
    if (file === undefined) return
    event.preventDefault()
    form.classList.remove('over')
    void upload(file)
  })
}

/** By XMLHttpRequest: fetch tells nothing of how much was sent. */
async function upload(file) {
  const { formatBytes } = await import('./progress.js')
  const bar = form.querySelector('progress')
  const said = form.querySelector('[data-said]')
  bar.hidden = false
  const request = new XMLHttpRequest()
  request.open('POST', '/v1/uploads')
  request.setRequestHeader('Content-Type', 'application/x-tar')
  if (form.dataset.drop) request.setRequestHeader('X-Form-Token', form.dataset.drop)
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    bar.max = total
    bar.value = loaded
    said.textContent =
      loaded < total ? `${formatBytes(loaded)} of ${formatBytes(total)} sent` : 'Reading what is in it'
  })
  request.addEventListener('load', () => {
    bar.hidden = true
    const answer = parse(request.responseText)
    if (request.status !== 201) {
      said.textContent = answer.detail ?? 'The upload failed.'
      return
    }
    const [only, ...others] = answer.images
    if (others.length === 0) location.assign(address(only))
    else choose(said, answer.images)
  })
  request.addEventListener('error', () => {
    bar.hidden = true
    said.textContent = 'The upload was cut off.'
  })
  request.send(file)
}

function choose(said, images) {
  said.textContent = 'The archive has several images: '
  for (const image of images) {
    const link = document.createElement('a')
    link.href = address(image)
    link.textContent = `${image.names[0] ?? image.reference} ${image.platform}`
    said.append(link, ' ')
  }
}

function address({ reference, platform }) {
  return `/?${new URLSearchParams({ image: reference, platform })}`
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
