import CALSA
import Glibc

/// A capture device of this machine.
public struct MicrophoneListing: Hashable, Sendable {
  /// The name to open it by, which stays when card numbers change: `hw:CARD=Device,DEV=0`.
  public var name: String
  /// The same by number, `hw:1,0`.
  public var numberedName: String
  /// What the card and the device call themselves.
  public var card: String
  public var title: String
  /// Others have all of it; what it offers cannot be asked then.
  public var isBusy = false

  public init(name: String, numberedName: String, card: String, title: String) {
    self.name = name
    self.numberedName = numberedName
    self.card = card
    self.title = title
  }

  /// The capture devices of all sound cards that this user may open (snd_card_next, snd_ctl_pcm_next_device).
  public static func all() -> [MicrophoneListing] {
    calsa_silence_errors()
    var found: [MicrophoneListing] = []
    var card: CInt = -1
    while snd_card_next(&card) == 0, card >= 0 { found += devices(card: card) }
    return found
  }

  private static func devices(card: CInt) -> [MicrophoneListing] {
    var control: OpaquePointer?
    guard snd_ctl_open(&control, "hw:\(card)", 0) == 0, let control else { return [] }
    defer { snd_ctl_close(control) }
    var cardInfo: OpaquePointer?
    var info: OpaquePointer?
    guard snd_ctl_card_info_malloc(&cardInfo) == 0, let cardInfo else { return [] }
    defer { snd_ctl_card_info_free(cardInfo) }
    guard snd_pcm_info_malloc(&info) == 0, let info else { return [] }
    defer { snd_pcm_info_free(info) }
    guard snd_ctl_card_info(control, cardInfo) == 0 else { return [] }

    var found: [MicrophoneListing] = []
    var device: CInt = -1
    while snd_ctl_pcm_next_device(control, &device) == 0, device >= 0 {
      snd_pcm_info_set_device(info, UInt32(device))
      snd_pcm_info_set_subdevice(info, 0)
      snd_pcm_info_set_stream(info, SND_PCM_STREAM_CAPTURE)
      guard snd_ctl_pcm_info(control, info) == 0 else { continue }
      let identifier = String(cString: snd_ctl_card_info_get_id(cardInfo))
      var microphone = MicrophoneListing(
        name: "hw:CARD=\(identifier),DEV=\(device)", numberedName: "hw:\(card),\(device)",
        card: String(cString: snd_ctl_card_info_get_name(cardInfo)),
        title: String(cString: snd_pcm_info_get_name(info)))
      microphone.isBusy = snd_pcm_info_get_subdevices_avail(info) == 0
      found.append(microphone)
    }
    return found
  }

  /// Its node, `/dev/snd/pcmC1D0c`; nil for a name that is not of this form.
  public var path: String? {
    let numbers = numberedName.dropFirst(3).split(separator: ",")
    return numbers.count == 2 ? "/dev/snd/pcmC\(numbers[0])D\(numbers[1])c" : nil
  }

  /// Opens it for a moment, and starts nothing; nil while others have it, and when it cannot be opened.
  public func offer() -> SoundOffer? {
    if isBusy { return nil }
    guard let pcm = try? PCM(device: name) else { return nil }
    return pcm.offers()
  }

  /// For errors: which microphones there are.
  static func hint(for microphones: [MicrophoneListing]) -> String {
    if microphones.isEmpty {
      return "No microphone was found on this machine: check its cable, its driver (`cat /proc/asound/cards`) and "
        + "that the user that runs this is in the group of /dev/snd/*, usually audio."
    }
    let names = microphones.map { "\($0.name) or \($0.numberedName) (\($0.card), \($0.title))" }
    return "Microphones here: \(names.joined(separator: "; "))."
  }

  /// True when there are capture nodes and this user may open none of them.
  static func nodesAreForbidden() -> Bool {
    let nodes = captureNodes()
    return !nodes.forbidden.isEmpty && nodes.forbidden.count == nodes.count
  }

  /// The capture nodes that this user may not open; ALSA does not list their cards.
  public static func forbiddenNodes() -> [String] { captureNodes().forbidden }

  private static func captureNodes() -> (count: Int, forbidden: [String]) {
    guard let folder = opendir("/dev/snd") else { return (0, []) }
    defer { closedir(folder) }
    var (count, forbidden) = (0, [String]())
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      // pcmC0D0c: card 0, device 0, capture.
      guard name.hasPrefix("pcm"), name.hasSuffix("c") else { continue }
      count += 1
      if access("/dev/snd/\(name)", R_OK | W_OK) != 0, errno == EACCES { forbidden.append("/dev/snd/\(name)") }
    }
    return (count, forbidden.sorted())
  }
}
