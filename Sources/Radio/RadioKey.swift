import Crypto
import Media

/// The secret that an agency's emitters and cameras share: 32 random bytes, one key for each group.
///
/// Whoever has it can start every camera of the group; it opens no footage and signs nothing.
public struct RadioKey: Sendable, CustomStringConvertible {
  public static let byteCount = 32

  private let key: SymmetricKey

  /// Nil unless there are exactly 32 bytes.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    key = SymmetricKey(data: bytes)
  }

  /// Nil unless `text` is 64 hexadecimal digits.
  public init?(hex text: some StringProtocol) {
    guard let bytes = Hexadecimal.decode(text.lowercased()) else { return nil }
    self.init(bytes)
  }

  /// HMAC-SHA256 (RFC 2104) of the text and the bytes behind it.
  func code(_ prefix: String, _ bytes: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array(prefix.utf8) + bytes, using: key))
  }

  /// Never the key: it would reach logs.
  public var description: String { "a radio key" }
}
