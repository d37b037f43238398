// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CCurl
internal import Glibc
internal import Synchronization
package import SystemPackage

/// Requests over libcurl: one thread, one multi handle.
///
/// Every call of libcurl is made on that thread; others only put commands into its inbox. Connections
/// are kept and used again. Proxies are those that the environment tells libcurl; `.netrc` is ignored.
package final class CurlTransport: Sendable {
  package struct Configuration: Sendable {
    /// Certificates to trust, a PEM file, in place of the system's.
    package var authorities: FilePath?
    /// Seconds to wait for a connection.
    package var connectTimeout = 10
    /// Seconds without a byte after which a request has failed.
    package var patience = 30

    package init() {}
  }

  private let inbox: Inbox

  package init(_ configuration: Configuration = Configuration()) {
    _ = Self.libraryIsReady
    guard let multi = curl_multi_init() else { fatalError("out of memory") }
    ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 32)
    let inbox = Inbox(multi)
    self.inbox = inbox
    let isRunning = BlockingWork.startThread { Loop(inbox, configuration).run() }
    precondition(isRunning, "the system has no thread left")
  }

  deinit { inbox.post(.stop) }

  private static let libraryIsReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// Sends a request and waits for the whole reply.
  ///
  /// - Throws: `TransportError`; what a body's reader or a stream's receiver threw; `CancellationError`.
  package func perform(_ request: HTTPRequest) async throws -> HTTPResponse {
    let ticket = Cancellation()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        inbox.post(.start(request, ticket, continuation))
      }
    } onCancel: {
      ticket.cancel()
      inbox.post(.cancel(ticket))
    }
  }
}

private typealias Reply = CheckedContinuation<HTTPResponse, any Error>

private enum Command {
  case start(HTTPRequest, Cancellation, Reply)
  case cancel(Cancellation)
  case stop
}

/// The commands to the loop's thread.
private final class Inbox: Sendable {
  private let commands = Mutex<[Command]>([])
  /// Outside of the loop's thread used only for `curl_multi_wakeup`, which any thread may call.
  nonisolated(unsafe) let multi: UnsafeMutableRawPointer

  init(_ multi: UnsafeMutableRawPointer) { self.multi = multi }

  /// Waking under the lock keeps the handle alive: the loop frees it only after it has taken `.stop`.
  func post(_ command: sending Command) {
    commands.withLock {
      $0.append(command)
      curl_multi_wakeup(multi)
    }
  }

  func take() -> [Command] {
    commands.withLock { commands in
      defer { commands = [] }
      return commands
    }
  }
}

/// What the thread does.
private final class Loop {
  private let inbox: Inbox
  private let configuration: CurlTransport.Configuration
  private var transfers: [UnsafeMutableRawPointer: Transfer] = [:]

  init(_ inbox: Inbox, _ configuration: CurlTransport.Configuration) {
    self.inbox = inbox
    self.configuration = configuration
  }

  func run() {
    // OpenSSL writes to sockets whose other end may be gone.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)

    while obey() {
      var running: Int32 = 0
      curl_multi_perform(inbox.multi, &running)
      reap()
      curl_multi_poll(inbox.multi, nil, 0, 1000, nil)
    }
    for transfer in transfers.values { finish(transfer, .failure(CancellationError())) }
    curl_multi_cleanup(inbox.multi)
  }

  /// Carries out the waiting commands; false if the last of them is to stop.
  private func obey() -> Bool {
    for command in inbox.take() {
      switch command {
      case .start(let request, let ticket, let reply):
        start(request, ticket, reply)
      case .cancel(let ticket):
        if let transfer = transfers.values.first(where: { $0.ticket === ticket }) {
          finish(transfer, .failure(CancellationError()))
        }
      case .stop: return false
      }
    }
    return true
  }

  private func start(_ request: HTTPRequest, _ ticket: Cancellation, _ reply: Reply) {
    if ticket.isCancelled { return reply.resume(throwing: CancellationError()) }
    guard request.headers.isSendable else {
      let error = TransportError(
        kind: .refused, origin: request.url.origin, reason: "a header holds a control character")
      return reply.resume(throwing: error)
    }
    guard let handle = curl_easy_init() else { fatalError("out of memory") }
    let transfer = Transfer(handle, request, ticket, reply)
    transfer.configure(configuration)
    transfers[handle] = transfer
    curl_multi_add_handle(inbox.multi, handle)
  }

  /// Answers the requests that are complete.
  private func reap() {
    var waiting: Int32 = 0
    while let message = curl_multi_info_read(inbox.multi, &waiting) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
        let transfer = transfers[handle]
      else { continue }
      finish(transfer, transfer.outcome(ccurl_message_result(message)))
    }
  }

  private func finish(_ transfer: Transfer, _ result: Result<HTTPResponse, any Error>) {
    curl_multi_remove_handle(inbox.multi, transfer.handle)
    transfers[transfer.handle] = nil
    transfer.reply.resume(with: result)
  }
}

/// One request under way, used on the loop's thread only.
private final class Transfer {
  let handle: UnsafeMutableRawPointer
  let ticket: Cancellation
  let reply: Reply
  private let request: HTTPRequest
  private var response: HTTPResponse
  /// Whether the stream takes the body; nil before the first byte of it.
  private var isAccepted: Bool?
  private var sent = 0
  private var headerBytes = 0
  private var failure: (any Error)?
  /// Set when the rest of a body is not wanted: curl's complaint is then no failure.
  private var isCut = false
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let complaint = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  /// How much of a body that no stream takes is kept.
  private static let noticeLimit = 1 << 20

  init(
    _ handle: UnsafeMutableRawPointer, _ request: HTTPRequest, _ ticket: Cancellation,
    _ reply: Reply
  ) {
    self.handle = handle
    self.request = request
    self.ticket = ticket
    self.reply = reply
    response = HTTPResponse(url: request.url, status: 0)
    complaint.pointee = 0
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(headerList)
    complaint.deallocate()
  }

  func configure(_ configuration: CurlTransport.Configuration) {
    let patience = request.patience ?? configuration.patience
    set(CURLOPT_URL, request.url.text)
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_PATH_AS_IS, 1)
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
    // What is large goes over connections of its own: side by side in one of HTTP/2 it would share one TCP
    // window.
    let isSmall = request.body == nil && !request.sink.isStream
    set(CURLOPT_HTTP_VERSION, Int(isSmall ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    set(CURLOPT_CONNECTTIMEOUT, configuration.connectTimeout)
    // A download that only drips would hang for days; a new connection costs nothing that came. An
    // upload waits in silence for the server's answer.
    set(CURLOPT_LOW_SPEED_LIMIT, request.sink.isStream ? 1024 : 1)
    set(CURLOPT_LOW_SPEED_TIME, patience)
    set(CURLOPT_BUFFERSIZE, 512 << 10)
    set(CURLOPT_UPLOAD_BUFFERSIZE, 1 << 20)
    ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, complaint)
    if let authorities = configuration.authorities { set(CURLOPT_CAINFO, authorities.string) }
    configureBody()
    for field in request.headers.fields {
      headerList = curl_slist_append(headerList, "\(field.name): \(field.value)")
    }
    headerList = curl_slist_append(headerList, "Expect:")
    ccurl_set_list(handle, CURLOPT_HTTPHEADER, headerList)

    let context = Unmanaged.passUnretained(self).toOpaque()
    ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
    ccurl_set_transfer(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      Transfer.at(context).receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
    ccurl_set_transfer(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      Transfer.at(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
  }

  private func configureBody() {
    if request.method == .head { set(CURLOPT_NOBODY, 1) }
    if let body = request.body {
      let context = Unmanaged.passUnretained(self).toOpaque()
      set(CURLOPT_UPLOAD, 1)
      ccurl_set_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(body.length))
      ccurl_set_pointer(handle, CURLOPT_READDATA, context)
      ccurl_set_transfer(handle, CURLOPT_READFUNCTION) { bytes, size, count, context in
        Transfer.at(context).send(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
      }
      ccurl_set_pointer(handle, CURLOPT_SEEKDATA, context)
      ccurl_set_seek(handle, CURLOPT_SEEKFUNCTION) { context, offset, origin in
        guard origin == SEEK_SET, offset >= 0 else { return CURL_SEEKFUNC_CANTSEEK }
        Transfer.at(context).sent = Int(offset)
        return CURL_SEEKFUNC_OK
      }
    }
    if request.method != .head { set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
  }

  private func set(_ option: CURLoption, _ value: Int) { ccurl_set_long(handle, option, value) }

  private func set(_ option: CURLoption, _ value: String) {
    ccurl_set_string(handle, option, value)
  }

  private static func at(_ context: UnsafeMutableRawPointer?) -> Transfer {
    Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
  }

  // MARK: What curl calls

  private func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    headerBytes += bytes.count
    guard headerBytes <= Self.noticeLimit else { return 0 }
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      // A new reply begins: what came before was an interim one.
      let status = line.split(separator: " ", maxSplits: 2).dropFirst().first
      response = HTTPResponse(url: request.url, status: status.flatMap { Int($0.prefix(3)) } ?? 0)
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmingBlanks
      response.headers.add(String(line[..<colon]), value)
    }
    return bytes.count
  }

  private func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
    switch request.sink {
    case .memory(let limit):
      guard response.body.count + bytes.count <= limit else {
        failure = TransportError(
          kind: .tooLong, origin: request.url.origin, reason: "a reply of more than \(limit) bytes")
        return 0
      }
      response.body += bytes
    case .stream(let accept, let consume):
      let takes = isAccepted ?? accept(response)
      isAccepted = takes
      if takes {
        do { try consume(bytes) } catch {
          failure = error
          return 0
        }
      } else {
        response.body += bytes.prefix(Self.noticeLimit - response.body.count)
        if response.body.count == Self.noticeLimit {
          isCut = true
          return 0
        }
      }
    }
    return bytes.count
  }

  private func send(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let body = request.body else { return 0 }
    let count = min(buffer.count, body.length - sent)
    guard count > 0 else { return 0 }
    do {
      try body.read(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), sent)
    } catch {
      failure = error
      return Int(CURL_READFUNC_ABORT)
    }
    sent += count
    return count
  }

  /// What the request came to, from curl's result code.
  func outcome(_ code: CURLcode) -> Result<HTTPResponse, any Error> {
    if let failure { return .failure(failure) }
    if code == CURLE_OK || isCut { return .success(response) }
    let kind: TransportError.Kind =
      switch code {
      case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT:
        .unreachable
      case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
        .insecure
      case CURLE_OPERATION_TIMEDOUT: .timedOut
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_FAILED_INIT: .refused
      default: .interrupted
      }
    let words = complaint.pointee == 0 ? curl_easy_strerror(code) : UnsafePointer(complaint)
    let reason = words.map { String(cString: $0) } ?? "curl error \(code.rawValue)"
    return .failure(TransportError(kind: kind, origin: request.url.origin, reason: reason))
  }
}

extension Substring {
  fileprivate var trimmingBlanks: String {
    let blanks: Set<Character> = [" ", "\t", "\r", "\n", "\r\n"]
    guard let first = firstIndex(where: { !blanks.contains($0) }),
      let last = lastIndex(where: { !blanks.contains($0) })
    else { return "" }
    return String(self[first...last])
  }
}
