/// Strict base64 (RFC 4648): one spelling for each value, everything else refused.
///
/// The three users need three spellings: journal lines the URL alphabet without padding, age headers the standard
/// alphabet without padding, signed notes the standard alphabet with padding.
public enum Base64 {
  public enum Spelling: Sendable {
    /// Section 5, unpadded: journal lines.
    case url
    /// Section 4, unpadded: age headers.
    case raw
    /// Section 4, padded: signed notes.
    case padded
  }

  private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  public static func encode(_ bytes: some Sequence<UInt8>, _ spelling: Spelling) -> String {
    let alphabet = spelling == .url ? urlSafe : standard
    var text: [UInt8] = []
    var held: UInt32 = 0
    var bits: UInt32 = 0
    for byte in bytes {
      held = (held << 8 | UInt32(byte)) & 0xFFFF
      bits += 8
      while bits >= 6 {
        bits -= 6
        text.append(alphabet[Int(held >> bits & 63)])
      }
    }
    if bits > 0 { text.append(alphabet[Int(held << (6 - bits) & 63)]) }
    if spelling == .padded {
      while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil for a character outside the alphabet, a length that no value has, wrong padding, or unused bits that are not 0.
  public static func decode(_ text: some Sequence<UInt8>, _ spelling: Spelling) -> [UInt8]? {
    var text = Array(text)
    if spelling == .padded {
      guard text.count % 4 == 0 else { return nil }
      for _ in 0..<2 where text.last == UInt8(ascii: "=") { text.removeLast() }
    }
    guard text.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var held: UInt32 = 0
    var bits: UInt32 = 0
    for character in text {
      guard let value = value(of: character, spelling) else { return nil }
      held = (held << 6 | value) & 0xFFFF
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: held >> bits))
      }
    }
    guard held & (1 << bits - 1) == 0 else { return nil }
    return bytes
  }

  private static func value(of character: UInt8, _ spelling: Spelling) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+") where spelling != .url: 62
    case UInt8(ascii: "/") where spelling != .url: 63
    case UInt8(ascii: "-") where spelling == .url: 62
    case UInt8(ascii: "_") where spelling == .url: 63
    default: nil
    }
  }
}
