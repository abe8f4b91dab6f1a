/** The badge builder: the picture and the line for a README follow what is chosen. */

const form = document.querySelector('[data-builder]')
if (form !== null) {
  form.addEventListener('submit', (event) => event.preventDefault())
  form.addEventListener('input', () => later(build))
}

let waiting

/** Each letter would ask for a picture. */
function later(act) {
  clearTimeout(waiting)
  waiting = setTimeout(act, 250)
}

function build() {
  for (const field of form.querySelectorAll('[data-for]')) {
    field.hidden = field.dataset.for !== form.elements.metric.value
    field.querySelector('input').disabled = field.hidden
  }
  // An image to compare with has yet to be named.
  if (!form.checkValidity()) return
  const { metric, ...given } = Object.fromEntries(new FormData(form))
  const chosen = Object.entries(given).filter(([, value]) => value.trim() !== '')
  const address = `/badge/${metric}.svg?${new URLSearchParams(chosen)}`
  const place = chosen.filter(([name]) => name === 'image' || name === 'platform')
  const page = `${form.dataset.builder}/?${new URLSearchParams(place)}`
  const picture = document.querySelector('[data-badge]')
  picture.src = address
  picture.alt = form.elements.metric.selectedOptions[0].textContent
  document.getElementById('badge-markdown').textContent =
    `[![${metric}](${form.dataset.builder}${address})](${page})`
}
