/// Bech32 (BIP 173) as age uses it for keys: without the length limit, all lower or all upper case.
public enum Bech32 {
  private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

  /// The lower-case spelling of `bytes` under the human-readable `prefix` (lower-case ASCII).
  public static func encode(prefix: String, _ bytes: [UInt8]) -> String {
    let prefixBytes = Array(prefix.utf8)
    let values = regroup(bytes, from: 8, to: 5, pad: true) ?? []
    let check = polymod(expand(prefixBytes) + values + [UInt8](repeating: 0, count: 6)) ^ 1
    let checksum = (0..<6).map { UInt8(truncatingIfNeeded: check >> UInt32(5 * (5 - $0)) & 31) }
    let data = (values + checksum).map { alphabet[Int($0)] }
    return String(decoding: prefixBytes + [UInt8(ascii: "1")] + data, as: UTF8.self)
  }

  /// The prefix in lower case and the bytes; nil for anything that is not canonical Bech32.
  public static func decode(_ text: String) -> (prefix: String, bytes: [UInt8])? {
    var characters = Array(text.utf8)
    let hasUpper = characters.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    let hasLower = characters.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    guard !(hasUpper && hasLower) else { return nil }
    if hasUpper {
      characters = characters.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 + 32 : $0 }
    }
    guard let separator = characters.lastIndex(of: UInt8(ascii: "1")), separator >= 1,
      characters.count - separator - 1 >= 6
    else { return nil }
    let prefix = Array(characters[..<separator])
    guard prefix.allSatisfy({ (33...126).contains($0) }) else { return nil }
    var values: [UInt8] = []
    for character in characters[(separator + 1)...] {
      guard let value = alphabet.firstIndex(of: character) else { return nil }
      values.append(UInt8(value))
    }
    guard polymod(expand(prefix) + values) == 1,
      let bytes = regroup(Array(values.dropLast(6)), from: 5, to: 8, pad: false)
    else { return nil }
    return (String(decoding: prefix, as: UTF8.self), bytes)
  }

  private static func expand(_ prefix: [UInt8]) -> [UInt8] { prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 } }

  private static func polymod(_ values: [UInt8]) -> UInt32 {
    let generators: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
    var check: UInt32 = 1
    for value in values {
      let top = check >> 25
      check = (check & 0x1ff_ffff) << 5 ^ UInt32(value)
      for (index, generator) in generators.enumerated() where top >> UInt32(index) & 1 == 1 { check ^= generator }
    }
    return check
  }

  private static func regroup(_ values: [UInt8], from: UInt32, to: UInt32, pad: Bool) -> [UInt8]? {
    var result: [UInt8] = []
    var held: UInt32 = 0
    var bits: UInt32 = 0
    for value in values {
      held = (held << from | UInt32(value)) & 0xFFFF
      bits += from
      while bits >= to {
        bits -= to
        result.append(UInt8(truncatingIfNeeded: held >> bits & (1 << to - 1)))
      }
    }
    if pad {
      if bits > 0 { result.append(UInt8(truncatingIfNeeded: held << (to - bits) & (1 << to - 1))) }
    } else if bits >= from || held & (1 << bits - 1) != 0 {
      return nil
    }
    return result
  }
}
