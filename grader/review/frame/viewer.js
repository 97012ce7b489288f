// Shows the PDF whose bytes the page around this frame sends. The PDF is a stranger's: pdf.js draws it, without
// scripts, forms or links, in workers that end with it; this document has no origin and reaches nothing else.

import * as pdfjs from "./pdfjs/legacy/build/pdf.min.mjs";

const MOST_PAGES = 400;
const MOST_PIXELS = 50_000_000; // of one picture
const MOST_CANVAS = 16_000_000; // pixels of one page as it is drawn
const MOST_SIDE = 8192;
const LARGEST = 4; // how much a small page is enlarged
const SLOW_SECONDS = 15;
const KEPT = 4; // pages around the one in view that stay drawn

const said = document.getElementById("said");
const pages = document.getElementById("pages");
let shown = null; // the document in view
let zoom = 1;

/**
 * A document without an origin can load no worker from an address, and no module from a blob: so a plain worker imports
 * the module, and keeps what comes before that is there.
 */
function worker(name) {
  const address = new URL(`pdfjs/legacy/build/${name}.min.mjs`, location.href).href;
  const source = `
    const early = [];
    const keep = (event) => early.push(event);
    addEventListener("message", keep);
    import(${JSON.stringify(address)}).then(() => {
      removeEventListener("message", keep);
      early.forEach(({ data }) => dispatchEvent(new MessageEvent("message", { data })));
    });`;
  return new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
}

function tell(text) {
  said.textContent = text;
}

class Shown {
  constructor() {
    this.ports = [worker("pdf.worker"), worker("pdf.renderer")];
    this.sheets = [];
    this.watcher = new IntersectionObserver((seen) => seen.forEach((one) => this.moved(one)), { rootMargin: "100% 0px" });
  }

  async open(data) {
    const at = (name) => new URL(`pdfjs/${name}/`, location.href).href;
    pdfjs.GlobalWorkerOptions.rendererPorts = [this.ports[1]];
    this.task = pdfjs.getDocument({
      data,
      worker: new pdfjs.PDFWorker({ port: this.ports[0] }),
      cMapUrl: at("cmaps"),
      standardFontDataUrl: at("standard_fonts"),
      wasmUrl: at("wasm"),
      iccUrl: at("iccs"),
      enableScripting: false,
      isEvalSupported: false,
      enableXfa: false,
      maxImageSize: MOST_PIXELS,
    });
    this.task.onPassword = () => this.task.destroy().then(() => this.fail("It asks for a password."));
    const pdf = await this.task.promise;
    if (this !== shown) return;
    tell("");
    const first = (await pdf.getPage(1)).getViewport({ scale: 1 });
    for (let number = 1; number <= Math.min(pdf.numPages, MOST_PAGES); number++) {
      const box = document.createElement("section");
      box.className = "page";
      box.setAttribute("aria-label", `Page ${number} of ${pdf.numPages}`);
      pages.append(box);
      this.sheets.push({ box, pdf, number, size: first, drawn: null });
    }
    if (pdf.numPages > MOST_PAGES) {
      const more = document.createElement("p");
      more.textContent = `The first ${MOST_PAGES} of ${pdf.numPages} pages are shown.`;
      pages.append(more);
    }
    this.resize();
    this.sheets.forEach((sheet) => this.watcher.observe(sheet.box));
  }

  fail(why) {
    if (this !== shown) return;
    pages.replaceChildren();
    tell(`This PDF cannot be shown. ${why} Points can be given all the same; “Save the PDF” keeps the file.`);
  }

  scale(sheet) {
    const room = document.documentElement.clientWidth - 24;
    return Math.min(Math.min(room, 1100) / sheet.size.width, LARGEST) * zoom;
  }

  resize() {
    for (const sheet of this.sheets) {
      const scale = this.scale(sheet);
      sheet.box.style.width = `${sheet.size.width * scale}px`;
      sheet.box.style.height = `${sheet.size.height * scale}px`;
      if (sheet.drawn !== null) this.draw(sheet);
    }
  }

  moved({ target, isIntersecting }) {
    const sheet = this.sheets.find((one) => one.box === target);
    if (isIntersecting && sheet.drawn === null) this.draw(sheet);
    if (!isIntersecting) return;
    for (const other of this.sheets) {
      if (other.drawn !== null && Math.abs(other.number - sheet.number) > KEPT) {
        other.drawn = null;
        other.box.replaceChildren();
      }
    }
  }

  async draw(sheet) {
    const turn = (sheet.drawn = {});
    try {
      const page = await sheet.pdf.getPage(sheet.number);
      sheet.size = page.getViewport({ scale: 1 });
      const scale = this.scale(sheet);
      const viewport = page.getViewport({ scale });
      sheet.box.style.width = `${viewport.width}px`;
      sheet.box.style.height = `${viewport.height}px`;
      sheet.box.style.setProperty("--total-scale-factor", scale);
      const [width, height] = [viewport.width, viewport.height];
      const most = Math.min(Math.sqrt(MOST_CANVAS / (width * height)), MOST_SIDE / width, MOST_SIDE / height);
      const sharp = Math.min(devicePixelRatio || 1, 2, most);
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, width * sharp);
      canvas.height = Math.max(1, height * sharp);
      const transform = [sharp, 0, 0, sharp, 0, 0];
      await page.render({ canvas, viewport, transform }).promise;
      const text = document.createElement("div");
      text.className = "text";
      await new pdfjs.TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport }).render();
      if (sheet.drawn === turn) sheet.box.replaceChildren(canvas, text);
    } catch (error) {
      if (sheet.drawn !== turn || this !== shown) return;
      const note = document.createElement("p");
      note.textContent = `Page ${sheet.number} cannot be shown.`;
      sheet.box.replaceChildren(note);
    }
  }

  close() {
    this.watcher.disconnect();
    this.ports.forEach((port) => port.terminate());
    pages.replaceChildren();
  }
}

async function open(data) {
  shown?.close();
  const mine = (shown = new Shown());
  scrollTo({ top: 0, behavior: "instant" });
  tell("The PDF is being read …");
  const slow = setTimeout(() => {
    if (mine === shown && !mine.sheets.length) tell("This PDF takes long. Points can be given without it.");
  }, SLOW_SECONDS * 1000);
  try {
    await mine.open(data);
  } catch (error) {
    mine.fail("It is broken, or no PDF.");
  } finally {
    clearTimeout(slow);
  }
}

addEventListener("message", ({ source, data }) => {
  if (source !== parent) return;
  if (data.pdf) open(data.pdf);
  if (data.close) {
    shown?.close();
    shown = null;
    tell("");
  }
  if (data.scroll) scrollBy({ top: data.scroll * innerHeight });
  if (data.zoom) {
    zoom = Math.min(4, Math.max(0.4, zoom * data.zoom));
    shown?.resize();
  }
});
// Keys belong to the page around: after a click here, unless text was selected, it takes them back.
addEventListener("pointerup", () => getSelection().isCollapsed && parent.postMessage("keys", "*"));
let waiting = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => shown?.resize(), 150);
});
parent.postMessage("ready", "*");
