/**
 * The page's line to its server: one conversation, known by a token that nobody else can guess.
 *
 * Whatever goes wrong comes back as an Error whose message is a sentence to show. The server's
 * own sentences are passed on; `expired` marks that the conversation is gone.
 */

export class ServerError extends Error {
  /** @param {string} message @param {boolean} expired */
  constructor(message, expired = false) {
    super(message);
    this.expired = expired;
  }
}

/**
 * @param {{hello: Function, call: Function}} functions the server functions of the component
 * @param {(key: string, ...args: unknown[]) => string} t
 * @param {string} language in which the server is to speak
 */
export function createServer(functions, t, language = "en") {
  let token = "";

  /** @param {any} answer */
  function checked(answer) {
    if (!answer) throw new ServerError(t("page.unreachable"));
    if (!answer.ok) throw new ServerError(answer.error, Boolean(answer.expired));
    return answer;
  }

  /** @param {Function} ask */
  async function asked(ask) {
    let answer;
    try {
      answer = await ask();
    } catch {
      throw new ServerError(t("page.unreachable"));
    }
    return checked(answer);
  }

  return {
    token: () => token,

    /**
     * @param {"image"|"video"} kind
     * @param {string} language
     * @param {string|null} before the token that this page had before it was loaded again
     */
    async hello(kind, language, before = null) {
      const answer = await asked(() => functions.hello({ kind, language, token: before }));
      token = answer.token;
      return answer;
    },

    /** @param {string} name @param {object} args */
    call: (name, args = {}) => asked(() => functions.call({ token, language, name, ...args })),

    /**
     * Send a file, and open it.
     *
     * @param {File} file
     * @param {"image"|"video"} kind
     * @param {(share: number) => void} onProgress
     */
    upload(file, kind, onProgress) {
      const url = new URL(`x2sam/upload/${token}`, document.baseURI);
      url.search = new URLSearchParams({ kind, language, name: file.name }).toString();
      return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.open("POST", url);
        request.responseType = "json";
        request.upload.onprogress = (event) => {
          if (event.lengthComputable) onProgress(event.loaded / event.total);
        };
        request.onerror = () => reject(new ServerError(t("page.unreachable")));
        request.onload = () => {
          try {
            resolve(checked(request.response));
          } catch (error) {
            reject(error);
          }
        };
        request.send(file);
      });
    },

    /** Let go of the conversation, as the page goes away. */
    leave() {
      if (token) navigator.sendBeacon(new URL(`x2sam/close/${token}`, document.baseURI));
    },
  };
}
