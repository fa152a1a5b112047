// Sends the form with a progress bar, and takes a dropped file. Without this the form works as any form does.

const form = document.querySelector("[data-send]");

if (form) {
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector("[data-drop]");
  const bar = form.querySelector("progress");

  const show = () => {
    if (input.files.length) form.querySelector("[data-chosen]").textContent = input.files[0].name;
  };
  input.addEventListener("change", show);
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      show();
    }
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    const button = form.querySelector("button");
    button.disabled = true;
    bar.hidden = false;
    request.upload.addEventListener("progress", (sent) => {
      if (sent.lengthComputable) bar.value = (100 * sent.loaded) / sent.total;
    });
    request.addEventListener("load", () => {
      // Accepted: the answer is the upload's page. Refused: it is this page with what is wrong.
      if (request.status < 300) {
        location.assign(request.responseURL);
        return;
      }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const problems = [...page.querySelectorAll(".problem")].map((one) => one.textContent).join(" ");
      fail(problems || `The server answered with status ${request.status}.`);
    });
    request.addEventListener("error", () => fail("The connection broke. Try again."));
    request.open("POST", form.action);
    request.send(new FormData(form));

    function fail(text) {
      form.querySelectorAll(".problem").forEach((one) => one.remove());
      const problem = document.createElement("p");
      problem.className = "problem";
      problem.setAttribute("role", "alert");
      problem.textContent = text;
      form.prepend(problem);
      button.disabled = false;
      bar.hidden = true;
    }
  });
}
